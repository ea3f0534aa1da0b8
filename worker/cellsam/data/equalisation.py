"""The appendix's normalisation: contrast-limited adaptive histogram equalisation (CLAHE) of each channel.

Blue holds the whole-cell signal, green the nuclear one, red is blank; a lone nuclear channel goes to blue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.cellsam.channels import GRAY_OF_RGB, equalised

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
    planes = {role: equalised(stack[..., index]) for index, role in enumerate(roles)}
    channels = np.zeros((3, *stack.shape[:2]), dtype=np.float32)
    if "whole_cell" not in planes:
        channels[_BLUE] = planes["nuclear"]
        return channels
    channels[_BLUE] = planes["whole_cell"]
    if "nuclear" in planes:
        channels[_GREEN] = planes["nuclear"]
    return channels


def _stained(rgb: NDArray[np.float64], *, keep_colour: bool) -> Pixels:
    if keep_colour:
        return np.ascontiguousarray(np.moveaxis(equalised(rgb), -1, 0))
    channels = np.zeros((3, *rgb.shape[:2]), dtype=np.float32)
    channels[_BLUE] = equalised(rgb @ GRAY_OF_RGB)
    return channels
