"""Anchor DETR as its paper writes it down: every product in full, nothing kept between images."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from worker.cellsam.anchor_finder import (
    AnchorDecoderLayer,
    AnchorFinder,
    EncoderLayer,
    FeedForward,
    sine_features,
    sine_features_2d,
)
from worker.cellsam.boxes import inverse_sigmoid
from worker.cellsam.cellfinder import FinderOutput, Queries
from worker.cellsam.rcda import RowColumnAttention


def plain_find(finder: AnchorFinder, features: Tensor) -> FinderOutput:
    """What `finder(features)` gives, with the same weights."""
    source = finder.input_proj(features).permute(0, 2, 3, 1)  # (B, H, W, dim)
    height, width = source.shape[1:3]
    x, y = ((torch.arange(count, device=source.device) + 0.5) / count for count in (width, height))
    along_x = finder.adapt_pos1d(sine_features(x, finder.dim))[None, None].expand_as(source)
    along_y = finder.adapt_pos1d(sine_features(y, finder.dim))[None, :, None].expand_as(source)
    for layer in finder.encoder_layers:
        source = _encoded(cast(EncoderLayer, layer), source, along_x, along_y)
    anchors = finder.position.weight.repeat(finder.pattern.num_embeddings, 1)
    queries = finder.pattern.weight.repeat_interleave(finder.position.num_embeddings, dim=0)
    queries = queries[None].expand(len(source), -1, -1)
    layers = []
    for layer in finder.decoder_layers:
        pos = finder.adapt_pos2d(sine_features_2d(anchors, finder.dim // 2))
        row = finder.adapt_pos1d(sine_features(anchors[:, 0], finder.dim))
        column = finder.adapt_pos1d(sine_features(anchors[:, 1], finder.dim))
        decoder = cast(AnchorDecoderLayer, layer)
        placed = queries + pos
        among, _ = decoder.self_attn(placed, placed, queries, need_weights=True)
        queries = decoder.norm2(queries + among)
        seen = _row_column_attention(
            decoder.cross_attn, queries + row, queries + column, source + along_x, source + along_y, source
        )
        queries = _fed(decoder.ffn, decoder.norm1(queries + seen))
        raw = finder.bbox_embed(queries)
        centres = raw[..., :2] + inverse_sigmoid(anchors)
        boxes = torch.cat([centres, raw[..., 2:]], dim=-1).sigmoid()
        layers.append(Queries(finder.class_embed(queries), boxes))
    return FinderOutput(tuple(layers))


def _encoded(layer: EncoderLayer, source: Tensor, along_x: Tensor, along_y: Tensor) -> Tensor:
    by_row, by_column = source + along_x, source + along_y
    seen = _row_column_attention(
        layer.self_attn, by_row.flatten(1, 2), by_column.flatten(1, 2), by_row, by_column, source
    )
    return _fed(layer.ffn, layer.norm1(source + seen.view_as(source)))


def _row_column_attention(
    attention: RowColumnAttention,
    query_row: Tensor,
    query_column: Tensor,
    key_row: Tensor,
    key_column: Tensor,
    value: Tensor,
) -> Tensor:
    """All keys are projected, then averaged; what a query gathers along one axis is kept for all of the other."""
    weights, biases = attention.in_proj_weight.chunk(5), attention.in_proj_bias.chunk(5)
    projected = [
        torch.unflatten(F.linear(given, weight, bias), -1, (attention.heads, -1))
        for given, weight, bias in zip(
            (query_row, query_column, key_row, key_column, value), weights, biases, strict=True
        )
    ]
    rows, columns = projected[0], projected[1]  # (B, Q, heads, d)
    row_keys, column_keys = projected[2].mean(dim=1), projected[3].mean(dim=2)  # (B, W or H, heads, d)
    scale = rows.shape[-1] ** -0.5
    along_width = torch.einsum("bqnd,bwnd->bnqw", rows * scale, row_keys).softmax(dim=-1)
    along_height = torch.einsum("bqnd,bhnd->bnqh", columns * scale, column_keys).softmax(dim=-1)
    gathered = torch.einsum("bnqh,bhwnd->bnqwd", along_height, projected[4])
    return attention.out_proj(torch.einsum("bnqw,bnqwd->bqnd", along_width, gathered).flatten(2))  # type: ignore[no-any-return]


def _fed(ffn: FeedForward, x: Tensor) -> Tensor:
    return ffn.norm2(x + ffn.linear2(F.relu(ffn.linear1(x))))  # type: ignore[no-any-return]
