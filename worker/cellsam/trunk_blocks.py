"""SAM's transformer blocks as they run without gradients: the same numbers, less work and a fraction of the memory.

SAM pads the tokens so that windows divide them, and projects the padding as well; what a token of zeros becomes is the
projection's bias, so here only real tokens are projected. Its attention holds all scores at once, three times
(`attention` does not).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from worker.cellsam.attention import RelativePositions, attend
from worker.cellsam.products import project
from worker.cellsam.sam_modules import get_rel_pos


def run_block(block: Any, tokens: Tensor) -> Tensor:
    """One of SAM's `Block`s: tokens (B, h, w, dim) -> the same."""
    attention = block.attn
    qkv = project(attention.qkv, block.norm1(tokens))  # (B, h, w, 3 dim)
    attended = _attended(attention, qkv, block.window_size)
    tokens = tokens + project(attention.proj, attended)
    return tokens + project(block.mlp.lin2, project(block.mlp.lin1, block.norm2(tokens), "gelu"))


def _attended(attention: Any, qkv: Tensor, window: int) -> Tensor:
    """(B, h, w, 3 dim) -> (B, h, w, dim), each window by itself; a window of 0 is the whole grid."""
    batch, height, width, _ = qkv.shape
    side_y, side_x = (window, window) if window else (height, width)
    down, across = -(-height // side_y), -(-width // side_x)
    padded = _padded(qkv, attention.qkv.bias, (down * side_y, across * side_x))
    grouped = padded.view(batch, down, side_y, across, side_x, 3, attention.num_heads, -1)
    by_head = grouped.permute(5, 0, 1, 3, 6, 2, 4, 7)  # (3, B, down, across, heads, side_y, side_x, d)
    query, key, value = by_head.contiguous().view(3, -1, side_y * side_x, by_head.shape[-1])
    positions = _positions(attention, query.unflatten(1, (side_y, side_x))) if attention.use_rel_pos else None
    attended = attend(query, key, value, positions)  # (B windows heads, side_y side_x, d)
    ungrouped = attended.view(batch, down, across, attention.num_heads, side_y, side_x, -1)
    whole = ungrouped.permute(0, 1, 4, 2, 5, 3, 6).reshape(batch, down * side_y, across * side_x, -1)
    return whole[:, :height, :width]


def _padded(qkv: Tensor, bias: Tensor, size: tuple[int, int]) -> Tensor:
    """The grid enlarged to `size` by what the projection makes of tokens of zeros."""
    batch, height, width, channels = qkv.shape
    if (height, width) == size:
        return qkv
    padded = bias.to(qkv.dtype).expand(batch, *size, channels).contiguous()
    padded[:, :height, :width] = qkv
    return padded


def _positions(attention: Any, query: Tensor) -> RelativePositions:
    """`query` (G, h, w, d), unscaled, against SAM's tables."""
    height, width = query.shape[1:3]
    by_row = get_rel_pos(height, height, attention.rel_pos_h)  # (h, h, d)
    by_column = get_rel_pos(width, width, attention.rel_pos_w)  # (w, w, d)
    rows = torch.einsum("ghwd,hkd->ghwk", query, by_row.to(query.dtype))
    columns = torch.einsum("ghwd,wkd->ghwk", query, by_column.to(query.dtype))
    return RelativePositions(rows.flatten(1, 2), columns.flatten(1, 2))
