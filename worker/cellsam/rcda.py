"""Row-column decoupled attention (Wang et al. 2022, "Anchor DETR", section 4.4).

Instead of one softmax over all H*W keys, a query attends to columns (along the width) and to rows (along the height)
apart; the value is gathered in two steps. Memory falls from Q*H*W to Q*(H+W) per head.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from worker.cellsam.products import batched, linear, project

PIECE = 2**20  # numbers on the way at a time: 4 MB in float32


class RowColumnAttention(nn.Module):
    """Five projections in one matrix, in the order row query, column query, row key, column key, value."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(5 * dim, dim))
        self.in_proj_bias = nn.Parameter(torch.zeros(5 * dim))
        self.out_proj = nn.Linear(dim, dim)
        self.dropout = nn.Dropout(0.0)  # of attention weights; training sets its share
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(
        self, query_row: Tensor, query_column: Tensor, key_row: Tensor, key_column: Tensor, value: Tensor
    ) -> Tensor:
        """Queries (B, Q, dim); keys and value (B, H, W, dim) -> (B, Q, dim).

        `row` is the position along the width, `column` the position along the height. Keys are averaged over the other
        axis; averaging before the (linear) projection gives the same numbers for less work.
        """
        weights, biases = self.in_proj_weight.chunk(5), self.in_proj_bias.chunk(5)
        row_query = self._split(linear(query_row, weights[0], biases[0]))  # (B, heads, Q, d)
        column_query = self._split(linear(query_column, weights[1], biases[1]))
        row_key = self._split(F.linear(key_row.mean(dim=1), weights[2], biases[2]))  # (B, heads, W, d)
        column_key = self._split(F.linear(key_column.mean(dim=2), weights[3], biases[3]))  # (B, heads, H, d)
        values = linear(value, weights[4], biases[4])
        values = torch.unflatten(values, -1, (self.heads, -1))  # (B, H, W, heads, d)
        scale = values.shape[-1] ** -0.5
        along_width = self.dropout((row_query * scale @ row_key.transpose(-2, -1)).softmax(dim=-1))
        along_height = self.dropout((column_query * scale @ column_key.transpose(-2, -1)).softmax(dim=-1))
        # (B, heads, Q, W) and (B, heads, Q, H)
        gathered = _gathered(along_width.flatten(0, 1), along_height.flatten(0, 1), values)  # (B heads, Q, d)
        merged = torch.unflatten(gathered, 0, (-1, self.heads)).transpose(1, 2).flatten(2)
        return project(self.out_proj, merged)

    def _split(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)  # (B, heads, N, d)


def _gathered(along_width: Tensor, along_height: Tensor, values: Tensor) -> Tensor:
    """(G, Q, W), (G, Q, H) and (B, H, W, heads, d), G = B heads -> (G, Q, d): the sum over rows, then over columns.

    Between the two a query has W d numbers, so only a few queries are on the way at a time.
    """
    width, size = values.shape[2], values.shape[-1]
    by_column = values.permute(0, 3, 2, 4, 1).flatten(2, 3).flatten(0, 1).contiguous()  # (G, W d, H)
    step = max(1, PIECE // (len(by_column) * by_column.shape[1]))
    pieces = []
    for start in range(0, along_height.shape[1], step):
        of_rows, of_columns = along_height[:, start : start + step], along_width[:, start : start + step]
        columns = torch.unflatten(batched(of_rows, by_column), -1, (width, size))  # (G, q, W, d)
        pieces.append((of_columns[..., None, :] @ columns).squeeze(-2))
    return torch.cat(pieces, dim=1)
