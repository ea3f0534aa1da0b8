"""What follows from a model's weights alone, computed once: no part of its state, and never out of date."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


class Constants(Generic[T]):
    """Values kept until one of the tensors that they were made from changes, moves or takes another type.

    With gradients on, nothing is kept: a value may be part of a graph.
    """

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[Hashable, T]] = {}

    def get(self, sources: Sequence[Tensor], make: Callable[[], T], key: Hashable = ()) -> T:
        """`make()`, which depends on `sources` and `key` alone; made outside of autocast, so in their own precision."""
        if torch.is_grad_enabled():
            return make()
        signs = tuple((source.data_ptr(), source._version, source.device, source.dtype) for source in sources)
        kept = self._kept.get(key)
        if kept is not None and kept[0] == signs:
            return kept[1]
        with torch.autocast(sources[0].device.type, enabled=False):
            value = make()
        self._kept[key] = (signs, value)
        return value

    def __deepcopy__(self, memo: object) -> Constants[T]:
        """A copy of a module has weights of its own."""
        return Constants()
