"""Matrix products without gradients, through oneDNN where that is the faster library.

torch gives float32 products on a CPU to MKL, which keeps to AVX2 on processors that are not Intel's. oneDNN, which
torch brings along, takes AVX-512 on all that have it: twice as fast on an AMD EPYC (docs/benchmarks.md), with the same
numbers up to the order of sums. It also applies the activation while it writes the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Activation = Literal["none", "relu", "gelu"]

_ACTIVATIONS: Mapping[Activation, Callable[[Tensor], Tensor]] = MappingProxyType(
    {"none": lambda x: x, "relu": torch.relu, "gelu": F.gelu}
)
# An operator that torch's own compiler emits; without it everything works as before.
_ONEDNN_LINEAR = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
_ONEDNN = (
    _ONEDNN_LINEAR is not None
    and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    and torch.backends.cpu.get_cpu_capability() == "AVX512"
)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, activation: Activation = "none") -> Tensor:
    """activation(x weightᵀ + bias): `x` (..., k), `weight` (n, k), `bias` (n,) -> (..., n); in autocast's type."""
    if not uses_onednn(x):
        return _ACTIVATIONS[activation](F.linear(x, weight, bias))
    dtype = _type(x)
    # Rows that lie apart in memory cost it a thousandfold; a transposed matrix is no trouble.
    if not (weight.is_contiguous() or weight.t().is_contiguous()):
        weight = weight.contiguous()
    product: Tensor = _ONEDNN_LINEAR(  # type: ignore[misc]
        x.to(dtype).contiguous(),
        weight.to(dtype),
        None if bias is None else bias.to(dtype),
        activation,
        [],
        "none" if activation == "gelu" else "",
    )
    return product


def project(layer: nn.Linear, x: Tensor, activation: Activation = "none") -> Tensor:
    """`linear` with a layer's weights."""
    return linear(x, layer.weight, layer.bias, activation)


def batched(a: Tensor, b: Tensor) -> Tensor:
    """a bᵀ for each pair: (N, m, k) and (N or 1, n, k) -> (N, m, n)."""
    if len(b) == 1:
        return torch.unflatten(linear(a.flatten(0, 1), b[0]), 0, a.shape[:2])
    if not uses_onednn(a):
        return a @ b.transpose(1, 2)
    return torch.stack([linear(left, right) for left, right in zip(a, b, strict=True)])


def softmax(scores: Tensor, dim: int) -> Tensor:
    """In float32 at least, and back to the scores' type."""
    return scores.softmax(dim, dtype=torch.promote_types(scores.dtype, torch.float32)).to(scores.dtype)


def uses_onednn(x: Tensor) -> bool:
    """oneDNN's operator knows no gradients, no empty batches, and no float16 on most processors."""
    fits = x.device.type == "cpu" and x.numel() > 0 and _type(x) in (torch.float32, torch.bfloat16)
    return _ONEDNN and fits and not torch.is_grad_enabled()


def _type(x: Tensor) -> torch.dtype:
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
