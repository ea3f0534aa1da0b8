"""Exact percentiles of more values than fit in memory: by histograms of their bits, most significant first.

Numbers of a kind have a binary form whose order as unsigned integers is theirs. A pass over the values counts the
next 16 bits of those that share the bits known so far: one pass for 8 and 16 bits, two for float32, four for float64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]
Passes = Callable[[], Iterable[Values]]  # each call gives all values again, in parts of any size

DIGIT_BITS = 16


def percentiles(parts: Passes, dtype: np.dtype[Any], wanted: Sequence[float]) -> list[float]:
    """What `numpy.percentile(values, wanted)` gives for all values as one array of `dtype`, to the last bit.

    Unsigned integers of 8 or 16 bits are interpolated as float32. Raises ValueError if there are no values.
    """
    count = sum(part.size for part in parts())
    if not count:
        raise ValueError("percentiles of no values")
    places = [(count - 1) * (share / 100) for share in wanted]
    ranks = sorted({rank for place in places for rank in (int(place), min(int(place) + 1, count - 1))})
    found = order_statistics(parts, dtype, ranks)
    return [_between(found[int(p)], found[min(int(p) + 1, count - 1)], p - int(p)) for p in places]


def order_statistics(
    parts: Passes, dtype: np.dtype[Any], ranks: Sequence[int]
) -> dict[int, np.floating[Any]]:
    """The values at these ranks (0: the smallest), in float32, or in float64 for values in float64."""
    bits = 8 * dtype.itemsize
    prefixes = {rank: (0, rank) for rank in ranks}  # bits known so far, rank among the values that share them
    for low in range(max(0, bits - DIGIT_BITS), -1, -DIGIT_BITS):
        counts = _count(parts, low, {prefix for prefix, _ in prefixes.values()})
        for rank, (prefix, within) in prefixes.items():
            below = np.cumsum(counts[prefix])
            digit = int(np.searchsorted(below, within, side="right"))
            before = int(below[digit - 1]) if digit else 0
            prefixes[rank] = (prefix << DIGIT_BITS) | digit, within - before
    return {rank: _value(key, dtype) for rank, (key, _) in prefixes.items()}


def _count(parts: Passes, low: int, prefixes: set[int]) -> dict[int, NDArray[np.int64]]:
    """For each prefix, how many values that begin with it have each next digit, whose lowest bit is bit `low`."""
    counts = {prefix: np.zeros(2**DIGIT_BITS, dtype=np.int64) for prefix in prefixes}
    for part in parts():
        keys = _keys(part.ravel())
        digits = keys >> keys.dtype.type(low)
        above = digits >> keys.dtype.type(DIGIT_BITS) if keys.dtype.itemsize > 2 else np.zeros_like(keys)
        last = (digits & keys.dtype.type(min(2**DIGIT_BITS - 1, np.iinfo(keys.dtype).max))).astype(np.int64)
        for prefix, histogram in counts.items():
            histogram += np.bincount(last[above == prefix], minlength=2**DIGIT_BITS)
    return counts


def _keys(values: Values) -> NDArray[np.unsignedinteger[Any]]:
    """Unsigned integers in the values' order. A float's sign bit is set if positive, all bits flipped if negative."""
    if values.dtype.kind == "u":
        return values
    raw = np.ascontiguousarray(values).view(f"u{values.dtype.itemsize}")
    sign = raw.dtype.type(1 << (8 * raw.dtype.itemsize - 1))
    return np.where(raw & sign, ~raw, raw | sign)


def _value(key: int, dtype: np.dtype[Any]) -> np.floating[Any]:
    if dtype.kind == "u":
        return np.float32(key)
    unsigned = np.dtype(f"u{dtype.itemsize}").type
    sign = 1 << (8 * dtype.itemsize - 1)
    raw = key ^ sign if key & sign else key ^ (2 * sign - 1)
    value: np.floating[Any] = np.array([unsigned(raw)]).view(dtype)[0]
    return value


def _between(low: np.floating[Any], high: np.floating[Any], share: float) -> float:
    """Linear interpolation as NumPy does it: from the nearer of the two, their difference in their own precision."""
    step = np.float64(high - low)
    return float(high - step * (1 - share)) if share >= 0.5 else float(low + step * share)
