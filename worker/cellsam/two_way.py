"""SAM's two-way transformer (Kirillov et al. 2023, "Segment Anything", appendix A): a few tokens against many pixels.

Its image side is what costs: each attention projects all pixels to keys, values or queries, of which the handful of
tokens makes little use. Projections are linear, so they can be applied to the tokens instead (q·Wk = Wkᵀq·k): the same
numbers up to the order of sums, for less than half of the work, and nothing to project while prompts still share one
image. Parameters are those of SAM's modules.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from worker.cellsam.products import batched, project, softmax


def two_way(transformer: Any, tokens: Tensor, image: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
    """`tokens` (N, T, dim), `image` (N, P, dim), or (1, P, dim) while it is the same for all prompts, and its
    `positions` (1, P, dim) -> tokens (N, T, dim) and image (N, P, dim) that have seen each other.
    """
    queries, placed = tokens, image + positions
    for layer in transformer.layers:
        queries = _among_themselves(layer, queries, tokens)
        seen = tokens_to_image(layer.cross_attn_token_to_image, queries + tokens, placed, image)
        queries = layer.norm2(queries + seen)
        queries = layer.norm3(queries + layer.mlp(queries))
        answered = image_to_tokens(layer.cross_attn_image_to_token, placed, queries + tokens, queries)
        image = layer.norm4(image + answered)
        placed = image + positions
    seen = tokens_to_image(transformer.final_attn_token_to_image, queries + tokens, placed, image)
    return transformer.norm_final_attn(queries + seen), image


def _among_themselves(layer: Any, queries: Tensor, tokens: Tensor) -> Tensor:
    if layer.skip_first_layer_pe:
        return layer.norm1(layer.self_attn(q=queries, k=queries, v=queries))  # type: ignore[no-any-return]
    placed = queries + tokens
    return layer.norm1(queries + layer.self_attn(q=placed, k=placed, v=queries))  # type: ignore[no-any-return]


def tokens_to_image(attention: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """SAM's `Attention` of tokens (N, T, dim) to an image, `key` and `value` (N or 1, P, dim) -> (N, T, dim)."""
    heads, count = attention.num_heads, query.shape[1]
    split = torch.unflatten(project(attention.q_proj, query), -1, (heads, -1))  # (N, T, heads, d)
    # The key's bias adds the same to a token's scores for all pixels: softmax does not see it.
    against = torch.einsum("nthd,hdc->nhtc", split, _by_head(attention.k_proj, heads)).flatten(1, 2)
    scores = batched(against / math.sqrt(split.shape[-1]), key)  # (N, heads T, P)
    gathered = batched(softmax(scores, dim=-1), value.transpose(1, 2))  # (N, heads T, dim)
    values = torch.einsum(
        "nhtc,hdc->nthd", torch.unflatten(gathered, 1, (heads, count)), _by_head(attention.v_proj, heads)
    )
    return project(attention.out_proj, values.flatten(2) + attention.v_proj.bias)  # weights sum to 1


def image_to_tokens(attention: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """SAM's `Attention` of an image (N or 1, P, dim) to tokens, `key` and `value` (N, T, dim) -> (N, P, dim)."""
    heads, count = attention.num_heads, key.shape[1]
    keys = torch.unflatten(project(attention.k_proj, key), -1, (heads, -1))  # (N, T, heads, d)
    keys = keys / math.sqrt(keys.shape[-1])
    against = torch.einsum("nthd,hdc->nhtc", keys, _by_head(attention.q_proj, heads)).flatten(1, 2)
    offset = torch.einsum("nthd,hd->nht", keys, attention.q_proj.bias.view(heads, -1).to(keys.dtype))
    scores = torch.unflatten(batched(against, query), 1, (heads, count)) + offset[..., None]
    weights = softmax(scores, dim=2).flatten(1, 2)  # (N, heads T, P)
    values = torch.unflatten(project(attention.v_proj, value), -1, (heads, -1))
    returned = torch.einsum(
        "nthd,chd->ncht", values, torch.unflatten(attention.out_proj.weight, 1, (heads, -1))
    )
    bias: Tensor = attention.out_proj.bias
    return batched(weights.transpose(1, 2), returned.flatten(2)) + bias


def _by_head(projection: Any, heads: int) -> Tensor:
    """(heads, d, dim)."""
    return torch.unflatten(projection.weight, 0, (heads, -1))
