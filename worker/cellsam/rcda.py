"""Row-column decoupled attention (Wang et al. 2022, "Anchor DETR", section 4.4).

Instead of one softmax over all H*W keys, a query attends to columns (along the width) and to rows (along the height)
apart; the value is gathered in two steps. Memory falls from Q*H*W to Q*(H+W) per head.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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
        row_query = self._split(F.linear(query_row, weights[0], biases[0]))  # (B, heads, Q, d)
        column_query = self._split(F.linear(query_column, weights[1], biases[1]))
        row_key = self._split(F.linear(key_row.mean(dim=1), weights[2], biases[2]))  # (B, heads, W, d)
        column_key = self._split(F.linear(key_column.mean(dim=2), weights[3], biases[3]))  # (B, heads, H, d)
        batch, height, width, dim = value.shape
        values = F.linear(value, weights[4], biases[4]).view(batch, height, width, self.heads, -1)
        scale = (dim // self.heads) ** -0.5
        along_width = self.dropout((row_query * scale @ row_key.transpose(-2, -1)).softmax(dim=-1))
        along_height = self.dropout((column_query * scale @ column_key.transpose(-2, -1)).softmax(dim=-1))
        # (B, heads, Q, W) and (B, heads, Q, H)
        values = values.permute(0, 3, 1, 2, 4).reshape(batch, self.heads, height, -1)  # (B, heads, H, W*d)
        columns = (along_height @ values).view(
            batch, self.heads, -1, width, dim // self.heads
        )  # (B, heads, Q, W, d)
        gathered = torch.einsum("bnqw,bnqwd->bqnd", along_width, columns)
        return self.out_proj(gathered.reshape(batch, -1, dim))  # type: ignore[no-any-return]

    def _split(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)  # (B, heads, N, d)
