"""CellFinder of `tiny`: a dense head proposes a box per token, the best tokens become the decoder's anchors.

Learned anchors (as published) need far more training than minutes on a CPU. Here anchors are the top-k tokens of a
heatmap (two-stage DETR), and tokens that are not the maximum of their 3x3 neighbourhood start with a lower logit. That
soft prior does the work that a longer trained decoder would do by itself: two queries on one cell. Say so where the
model's figures are reported.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from worker.cellsam.boxes import inverse_sigmoid
from worker.cellsam.cellfinder import DenseProposals, FinderOutput, Queries, mlp, start_at_zero

POSITION_FEATURES = 64  # per coordinate
MAX_FREQUENCY = 256.0  # half-turns over the input: the finest wave spans two pixels of a 256-pixel tile
TYPICAL_CELL = 20 / 256  # of the input's side, where box sizes start
MAX_CENTRE_SHIFT = 2.0  # tokens a proposal's centre may lie from its token
RARE_LOGIT = -3.5  # a token is seldom a cell's centre


def position_features(points_unit: Tensor) -> Tensor:
    """(..., 2) x, y in [0, 1] -> (..., 128): sines and cosines at geometric frequencies."""
    half = POSITION_FEATURES // 2
    frequencies = MAX_FREQUENCY ** (torch.arange(half, device=points_unit.device, dtype=torch.float32) / half)
    angles = points_unit[..., None].float() * frequencies * math.pi  # (..., 2, 32)
    return torch.cat([angles.sin(), angles.cos()], dim=-1).flatten(-2)


def token_centres(
    height: int, width: int, grid: int, origin: tuple[int, int], device: torch.device
) -> Tensor:
    """(h * w, 2) x, y of each token's centre as fractions of the full input, row-major."""
    rows = (torch.arange(height, device=device) + origin[0] + 0.5) / grid
    columns = (torch.arange(width, device=device) + origin[1] + 0.5) / grid
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x, y], dim=-1).reshape(-1, 2)


class DecoderLayer(nn.Module):
    """Self-attention among queries, cross-attention to the tokens, feed-forward; post-norm."""

    def __init__(self, dim: int, heads: int, ffn_dim: int) -> None:
        super().__init__()
        self.self_attention = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.cross_attention = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.ffn = mlp((dim, ffn_dim, dim), nn.GELU)
        self.norm_self, self.norm_cross, self.norm_ffn = (nn.LayerNorm(dim) for _ in range(3))
        self.dropout = nn.Dropout(0.0)  # of each residual branch; training sets its share

    def forward(self, queries: Tensor, query_pos: Tensor, tokens: Tensor, token_pos: Tensor) -> Tensor:
        placed = queries + query_pos
        among = self.self_attention(placed, placed, queries, need_weights=False)[0]
        queries = self.norm_self(queries + self.dropout(among))
        seen = self.cross_attention(queries + query_pos, tokens + token_pos, tokens, need_weights=False)[0]
        queries = self.norm_cross(queries + self.dropout(seen))
        return self.norm_ffn(queries + self.dropout(self.ffn(queries)))  # type: ignore[no-any-return]


class PeakFinder(nn.Module):
    """See the module's docstring. `grid` is the number of tokens on a side of the full input."""

    def __init__(
        self,
        in_dim: int,
        dim: int,
        heads: int,
        ffn_dim: int,
        layers: int,
        queries: int,
        grid: int,
        peak_bias: float,
    ) -> None:
        super().__init__()
        self.grid, self.queries, self.peak_bias = grid, queries, peak_bias
        self.project = nn.Sequential(nn.Linear(in_dim, dim), nn.LayerNorm(dim))
        self.place = mlp((2 * POSITION_FEATURES, dim, dim), nn.GELU)
        self.dense_features = nn.Sequential(nn.Conv2d(dim, dim, 3, padding=1), nn.GELU())
        self.dense_logit = nn.Linear(dim, 1)
        self.dense_box = mlp((dim, dim, 4), nn.GELU)
        self.query_input = nn.Linear(dim, dim)
        self.layers = nn.ModuleList(DecoderLayer(dim, heads, ffn_dim) for _ in range(layers))
        self.logit_heads = nn.ModuleList(nn.Linear(dim, 1) for _ in range(layers))
        self.box_heads = nn.ModuleList(mlp((dim, dim, dim, 4), nn.GELU) for _ in range(layers))
        self._start_from_the_dense_head()

    def _start_from_the_dense_head(self) -> None:
        """Every refinement begins as the identity: logits and boxes of the queries are those of their tokens."""
        nn.init.constant_(self.dense_logit.bias, RARE_LOGIT)
        for head in (*self.logit_heads, *self.box_heads):
            start_at_zero(head)
        size = start_at_zero(self.dense_box).bias
        with torch.no_grad():
            size[2:] = math.log(TYPICAL_CELL / (1 - TYPICAL_CELL))

    def forward(self, features: Tensor, origin: tuple[int, int] = (0, 0)) -> FinderOutput:
        batch, _, height, width = features.shape
        tokens = self.project(features.flatten(2).transpose(1, 2))  # (B, h*w, dim)
        centres = token_centres(height, width, self.grid, origin, features.device)
        token_pos = self.place(position_features(centres))[None]
        grid_tokens = tokens.transpose(1, 2).reshape(batch, -1, height, width)
        dense_tokens = self.dense_features(grid_tokens).flatten(2).transpose(1, 2)  # (B, h*w, dim)
        dense = self._propose(dense_tokens, centres)
        layers = self._refine(dense, dense_tokens, tokens, token_pos, (height, width))
        return FinderOutput(layers=layers, dense=dense)

    def _propose(self, dense_tokens: Tensor, centres: Tensor) -> DenseProposals:
        raw = self.dense_box(dense_tokens).float()
        xy = centres[None] + torch.tanh(raw[..., :2]) * (MAX_CENTRE_SHIFT / self.grid)
        logits = self.dense_logit(dense_tokens).squeeze(-1).float()
        return DenseProposals(logits, torch.cat([xy, raw[..., 2:].sigmoid()], dim=-1))

    def _favour_peaks(self, logits: Tensor, size: tuple[int, int]) -> Tensor:
        """Lower the logit of each token that is not the maximum of its 3x3 neighbourhood."""
        heat = logits.view(-1, 1, *size)
        is_peak = F.max_pool2d(heat.detach(), 3, stride=1, padding=1) == heat
        return torch.where(is_peak, heat, heat - self.peak_bias).view(logits.shape)

    def _refine(
        self,
        dense: DenseProposals,
        dense_tokens: Tensor,
        tokens: Tensor,
        token_pos: Tensor,
        size: tuple[int, int],
    ) -> tuple[Queries, ...]:
        biased = self._favour_peaks(dense.logits, size)
        # A smaller training window gets its share of the queries.
        count = max(1, self.queries * size[0] * size[1] // self.grid**2)
        chosen = biased.detach().topk(count, dim=1).indices[..., None]  # (B, Q, 1)
        queries = self.query_input(dense_tokens.gather(1, chosen.expand(-1, -1, dense_tokens.shape[-1])))
        boxes = dense.boxes_cxcywh_unit.gather(1, chosen.expand(-1, -1, 4)).detach().clamp(1e-3, 1 - 1e-3)
        logits = biased[..., None].gather(1, chosen)
        layers = []
        for layer, logit_head, box_head in zip(self.layers, self.logit_heads, self.box_heads, strict=True):
            queries = layer(queries, self.place(position_features(boxes[..., :2])), tokens, token_pos)
            logits = logits + logit_head(queries).float()  # residual: the decoder corrects the dense head
            refined = (inverse_sigmoid(boxes, 1e-4) + box_head(queries).float()).sigmoid()
            layers.append(Queries(logits, refined))
            boxes = refined.detach()  # each layer answers for its own step only, as in deformable DETR
        return tuple(layers)
