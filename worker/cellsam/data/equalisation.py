"""The appendix's normalisation: contrast-limited adaptive histogram equalisation (CLAHE) of each channel.

Blue holds the whole-cell signal, green the nuclear one, red is blank; a lone nuclear channel goes to blue.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage import exposure

from worker.cellsam.channels import GRAY_OF_RGB

KERNEL_PX = 128  # side of the regions whose histograms are equalised
_GREEN, _BLUE = 1, 2

Pixels = NDArray[np.float32]


def equalised_channels(image: NDArray[Any], roles: Sequence[str], *, keep_colour: bool = False) -> Pixels:
    """(H, W) or (H, W, C) with a role a channel, or ("rgb",) -> (3, H, W) float32 in [0, 1].

    A stained image becomes gray and goes to blue, or with `keep_colour` stays red, green and blue with its brightness
    (the V of HSV) equalised.
    """
    stack = image[..., None] if image.ndim == 2 else image
    if tuple(roles) == ("rgb",):
        return _stained(stack[..., :3].astype(np.float64), keep_colour=keep_colour)
    planes = {role: equalise(stack[..., index]) for index, role in enumerate(roles)}
    channels = np.zeros((3, *stack.shape[:2]), dtype=np.float32)
    if "whole_cell" not in planes:
        channels[_BLUE] = planes["nuclear"]
        return channels
    channels[_BLUE] = planes["whole_cell"]
    if "nuclear" in planes:
        channels[_GREEN] = planes["nuclear"]
    return channels


def equalise(values: NDArray[Any]) -> Pixels:
    """(H, W), or (H, W, 3) by its brightness -> float32 in [0, 1]; without any contrast, zeros."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return np.zeros(values.shape, dtype=np.float32)
    clahe: Callable[..., NDArray[np.float64]] = exposure.equalize_adapthist
    scaled = (values.astype(np.float64) - low) / (high - low)
    return np.clip(clahe(scaled, kernel_size=KERNEL_PX), 0, 1).astype(np.float32)


def _stained(rgb: NDArray[np.float64], *, keep_colour: bool) -> Pixels:
    if keep_colour:
        return np.ascontiguousarray(np.moveaxis(equalise(rgb), -1, 0))
    channels = np.zeros((3, *rgb.shape[:2]), dtype=np.float32)
    channels[_BLUE] = equalise(rgb @ GRAY_OF_RGB)
    return channels
