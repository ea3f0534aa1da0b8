"""CellFinder as published: Anchor DETR (Wang et al. 2022) on the trunk's features, without non-maximum suppression.

Shapes and names follow the released checkpoint's layout, so its weights can be loaded by renaming keys alone.
Dropout sits where the Transformer has it (attention weights, hidden units, each residual branch) with a share of 0,
which training sets.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from worker.cellsam.attention import attend
from worker.cellsam.boxes import inverse_sigmoid
from worker.cellsam.cellfinder import FinderOutput, Queries, mlp, start_at_zero
from worker.cellsam.constants import Constants
from worker.cellsam.products import linear, project
from worker.cellsam.rcda import RowColumnAttention

PRIOR = 0.01  # share of queries expected to be a cell before training (focal loss's initialisation)


def sine_features(positions: Tensor, count: int) -> Tensor:
    """(..., ) positions in [0, 1] -> (..., count): interleaved sine and cosine, base 10000 (DETR's encoding)."""
    index = torch.arange(count, device=positions.device, dtype=torch.float32)
    period = 10000.0 ** (2 * torch.div(index, 2, rounding_mode="floor") / count)
    angles = positions[..., None] * (2 * math.pi) / period
    return torch.stack([angles[..., 0::2].sin(), angles[..., 1::2].cos()], dim=-1).flatten(-2)


def sine_features_2d(points_unit: Tensor, count: int) -> Tensor:
    """(..., 2) x, y -> (..., 2 * count), y's features first."""
    return torch.cat([sine_features(points_unit[..., axis], count) for axis in (1, 0)], dim=-1)


class FeedForward(nn.Module):
    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        self.norm2 = nn.LayerNorm(dim)
        self.dropout = nn.Dropout(0.0)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.dropout(project(self.linear1, x, "relu"))
        return self.norm2(x + self.dropout(project(self.linear2, hidden)))  # type: ignore[no-any-return]


class EncoderLayer(nn.Module):
    def __init__(self, dim: int, heads: int, ffn_dim: int) -> None:
        super().__init__()
        self.self_attn = RowColumnAttention(dim, heads)
        self.norm1 = nn.LayerNorm(dim)
        self.ffn = FeedForward(dim, ffn_dim)
        self.dropout = nn.Dropout(0.0)

    def forward(self, source: Tensor, row_pos: Tensor, column_pos: Tensor) -> Tensor:
        """`source` (B, H, W, dim); `row_pos` (1, 1, W, dim) and `column_pos` (1, H, 1, dim)."""
        batch, height, width, dim = source.shape
        by_row, by_column = source + row_pos, source + column_pos
        attended = self.self_attn(by_row.flatten(1, 2), by_column.flatten(1, 2), by_row, by_column, source)
        attended = self.dropout(attended).view(batch, height, width, dim)
        return self.ffn(self.norm1(source + attended))  # type: ignore[no-any-return]


class AnchorDecoderLayer(nn.Module):
    """Order of norms: norm2 after self-attention, norm1 after cross-attention (the checkpoint's naming)."""

    def __init__(self, dim: int, heads: int, ffn_dim: int) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.cross_attn = RowColumnAttention(dim, heads)
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.ffn = FeedForward(dim, ffn_dim)
        self.dropout = nn.Dropout(0.0)

    def forward(
        self,
        queries: Tensor,
        query_pos: tuple[Tensor, Tensor],
        source: Tensor,
        source_pos: tuple[Tensor, Tensor],
    ) -> Tensor:
        """What the queries see of the image, after `compare`. `query_pos` = (along the width, along the height), each
        (B, Q, dim).
        """
        row_pos, column_pos = query_pos
        attended = self.cross_attn(
            queries + row_pos, queries + column_pos, source + source_pos[0], source + source_pos[1], source
        )
        return self.ffn(self.norm1(queries + self.dropout(attended)))  # type: ignore[no-any-return]

    def compare(self, queries: Tensor, pos: Tensor) -> Tensor:
        """What the queries make of each other; nothing here has seen the image. `pos` (1, Q, dim), both axes."""
        placed = queries + pos
        if torch.is_grad_enabled() or self.training:
            among = self.self_attn(placed, placed, queries, need_weights=False)[0]
        else:
            among = self._among(placed, queries)
        return self.norm2(queries + self.dropout(among))  # type: ignore[no-any-return]

    def _among(self, placed: Tensor, queries: Tensor) -> Tensor:
        attention, batch = self.self_attn, len(queries)
        weights, biases = attention.in_proj_weight.chunk(3), attention.in_proj_bias.chunk(3)
        query, key, value = (
            torch.unflatten(linear(source, weight, bias), -1, (attention.num_heads, -1))
            .transpose(1, 2)
            .flatten(0, 1)  # (B heads, Q, d)
            for source, weight, bias in zip((placed, placed, queries), weights, biases, strict=True)
        )
        attended = attend(query, key, value)
        merged = torch.unflatten(attended, 0, (batch, -1)).transpose(1, 2).flatten(2)
        return project(attention.out_proj, merged)


class _Start(NamedTuple):
    """What the decoder knows before it sees an image: (1, Q, dim) each."""

    anchors: Tensor  # (Q, 2) x, y
    pos: Tensor
    axes_pos: tuple[Tensor, Tensor]  # along the width, along the height
    compared: Tensor  # the queries after their first comparison


class AnchorFinder(nn.Module):
    """Trunk features (B, in_dim, h, w) -> `patterns` * `anchors` queries per image."""

    def __init__(
        self,
        in_dim: int,
        dim: int,
        heads: int,
        ffn_dim: int,
        encoder_layers: int,
        decoder_layers: int,
        anchors: int,
        patterns: int,
        classes: int,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.input_proj = nn.Sequential(nn.Conv2d(in_dim, dim, 1), nn.GroupNorm(32, dim))
        self.position = nn.Embedding(anchors, 2)
        self.pattern = nn.Embedding(patterns, dim)
        self.adapt_pos1d = mlp((dim, dim, dim), nn.ReLU)
        self.adapt_pos2d = mlp((dim, dim, dim), nn.ReLU)
        self.encoder_layers = nn.ModuleList(EncoderLayer(dim, heads, ffn_dim) for _ in range(encoder_layers))
        self.decoder_layers = nn.ModuleList(
            AnchorDecoderLayer(dim, heads, ffn_dim) for _ in range(decoder_layers)
        )
        # One pair of heads serves every layer, as in the published model.
        self.class_embed = nn.Linear(dim, classes)
        self.bbox_embed = mlp((dim, dim, dim, 4), nn.ReLU)
        self._places: Constants[tuple[Tensor, Tensor]] = Constants()
        self._starts: Constants[_Start] = Constants()
        self._initialise()

    def _initialise(self) -> None:
        nn.init.uniform_(self.position.weight)
        nn.init.constant_(self.class_embed.bias, math.log(PRIOR / (1 - PRIOR)))
        size = start_at_zero(self.bbox_embed).bias
        with torch.no_grad():
            size[2:] = -2.0  # boxes start at 12% of the input

    def forward(self, features: Tensor, origin: tuple[int, int] = (0, 0)) -> FinderOutput:
        """Windows are not supported: anchors belong to the full input, so `origin` must be (0, 0)."""
        if origin != (0, 0):
            raise ValueError("AnchorFinder reads the full input only")
        source = self.input_proj(features).permute(0, 2, 3, 1)  # (B, h, w, dim)
        height, width = source.shape[1:3]
        source_pos = self._places.get(
            [*self.adapt_pos1d.parameters()],
            lambda: self._token_positions(height, width),
            key=(height, width),
        )
        for layer in self.encoder_layers:
            source = layer(source, *source_pos)
        return FinderOutput(layers=self._decode(source, source_pos))

    def _token_positions(self, height: int, width: int) -> tuple[Tensor, Tensor]:
        device = self.position.weight.device
        x = (torch.arange(width, device=device) + 0.5) / width
        y = (torch.arange(height, device=device) + 0.5) / height
        row = self.adapt_pos1d(sine_features(x, self.dim))[None, None]  # (1, 1, W, dim)
        column = self.adapt_pos1d(sine_features(y, self.dim))[None, :, None]  # (1, H, 1, dim)
        return row, column

    def _start(self) -> _Start:
        anchors = self.position.weight.repeat(self.pattern.num_embeddings, 1)  # (Q, 2) x, y
        pos = self.adapt_pos2d(sine_features_2d(anchors, self.dim // 2))[None]
        row_pos = self.adapt_pos1d(sine_features(anchors[:, 0], self.dim))[None]
        column_pos = self.adapt_pos1d(sine_features(anchors[:, 1], self.dim))[None]
        queries = self.pattern.weight.repeat_interleave(self.position.num_embeddings, dim=0)[None]
        return _Start(anchors, pos, (row_pos, column_pos), self._layers[0].compare(queries, pos))

    def _decode(self, source: Tensor, source_pos: tuple[Tensor, Tensor]) -> tuple[Queries, ...]:
        first, *later = self._layers
        before_the_image = [
            *(self.position.weight, self.pattern.weight),
            *(self.adapt_pos1d.parameters()),
            *(self.adapt_pos2d.parameters()),
            *(first.parameters()),
        ]
        start = self._start() if self.training else self._starts.get(before_the_image, self._start)
        queries = first(start.compared.expand(len(source), -1, -1), start.axes_pos, source, source_pos)
        layers = [self._answer(queries, start.anchors)]
        for layer in later:
            queries = layer(layer.compare(queries, start.pos), start.axes_pos, source, source_pos)
            layers.append(self._answer(queries, start.anchors))
        return tuple(layers)

    @property
    def _layers(self) -> list[AnchorDecoderLayer]:
        return list(self.decoder_layers)  # type: ignore[arg-type]

    def _answer(self, queries: Tensor, anchors: Tensor) -> Queries:
        """Centres are offsets from the anchor in logit space; sizes have no reference."""
        raw = self.bbox_embed(queries).float()
        centres = raw[..., :2] + inverse_sigmoid(anchors)
        return Queries(self.class_embed(queries), torch.cat([centres, raw[..., 2:]], dim=-1).sigmoid())
