"""Intervals by resampling images (Efron 1979): how far a figure would move on other images of the same kind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
INTERVAL = (2.5, 97.5)  # percentiles

# A figure of weighted images: (images,) how often each counts -> its value.
Figure = Callable[[NDArray[np.float64]], float]


def interval(images: int, figure: Figure, *, seed: int = 0) -> tuple[float, float]:
    """95% percentile bootstrap, seeded; (NaN, NaN) without images. Resamples in which the figure is NaN are left out.

    A difference of two models on the same images is one figure: its interval is then a paired one.
    """
    if images == 0:
        return float("nan"), float("nan")
    random = np.random.default_rng(seed)
    draws = random.integers(0, images, (RESAMPLES, images))
    values = np.array([figure(np.bincount(draw, minlength=images).astype(np.float64)) for draw in draws])
    values = values[np.isfinite(values)]
    if values.size == 0:
        return float("nan"), float("nan")
    low, high = np.percentile(values, INTERVAL)
    return float(low), float(high)
