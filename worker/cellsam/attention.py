"""Softmax attention without gradients whose scores never exist all at once.

On a GPU that is torch's fused attention. On a CPU, torch's takes twice the time of two plain products over pieces that
stay in the cache (`products`), because it goes through the slower library; see docs/benchmarks.md.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from worker.cellsam.products import linear, softmax

PIECE = 2**19  # scores at a time: 2 MB in float32


class RelativePositions(NamedTuple):
    """What a query's place adds to its scores for the keys of a grid: by the key's row, and by its column (Li et al.
    2022, "MViTv2", equation 4).
    """

    rows: Tensor  # (G, n, H)
    columns: Tensor  # (G, n, W)

    def scores(self, index: int, queries: slice) -> Tensor:
        """(n, H, W) for some queries of one of the G groups."""
        return self.rows[index, queries, :, None] + self.columns[index, queries, None]


def attend(query: Tensor, key: Tensor, value: Tensor, positions: RelativePositions | None = None) -> Tensor:
    """softmax(query keyᵀ / √d + positions) value: (G, n, d), (G, m, d), (G, m, d) -> (G, n, d).

    G counts heads, and windows or images with them. The keys of `positions` lie row by row on its grid, m = H W.
    Positions and softmax are computed in float32 at least.
    """
    if query.device.type != "cpu":
        mask = None if positions is None else _mask(positions, query.dtype)
        return F.scaled_dot_product_attention(query[None], key[None], value[None], attn_mask=mask)[0]
    query = query * query.shape[-1] ** -0.5
    step = max(1, PIECE // key.shape[1])
    pieces = [slice(start, start + step) for start in range(0, query.shape[1], step)]
    attended = torch.empty_like(query)
    for index, (keys, values) in enumerate(zip(key, value.transpose(1, 2), strict=True)):
        for piece in pieces:
            scores = linear(query[index, piece], keys)
            if positions is not None:
                scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
                scores += positions.scores(index, piece).flatten(1)
            attended[index, piece] = linear(softmax(scores, dim=-1).to(value.dtype), values)
    return attended


def _mask(positions: RelativePositions, dtype: torch.dtype) -> Tensor:
    """(1, G, n, m)."""
    scores = positions.rows[..., :, None] + positions.columns[..., None, :]
    return scores.flatten(2)[None].to(dtype)
