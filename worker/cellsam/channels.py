"""From a microscope's array to the model's three channels, with a clear word where that cannot be done.

CellSAM's convention: red blank, green nuclear, blue whole-cell; a lone channel of either kind goes to blue. A model
that was trained on colour gets a stained image as red, green and, in blue, its gray values: the same colour space with
what every other kind of image has in its usual place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage import exposure

from worker.cellsam.config import CellSAMConfig

CHANNEL_ROLES = ("nuclear", "whole_cell", "rgb")
LOW_PERCENTILE, HIGH_PERCENTILE = 1.0, 99.8
# Grey levels of 255 that the percentiles are at least apart, so that an empty field stays empty and its noise small.
MIN_RANGE = 8 / 255
CLAHE_KERNEL_PX = 128  # of the paper
CLIP_PERCENTILE = 99.9  # of the pixels that are not zero
SMALLEST, LARGEST = 1e-30, 1e30  # of floats that are safe to subtract and square in float32
COLOURLESS = 0.01  # mean distance of an image's colours, as a share of its range, under which it is gray
GRAY_OF_RGB = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601 luma

Pixels = NDArray[np.float32]


class ImageError(ValueError):
    """This image cannot be segmented; the message says why."""


def default_roles(shape: tuple[int, ...]) -> tuple[str, ...]:
    """Roles of an unnamed image: gray = whole_cell, two channels = nuclear and whole-cell, three or four = rgb."""
    channels = shape[2] if len(shape) == 3 else 1
    if channels == 1:
        return ("whole_cell",)
    if channels == 2:
        return ("nuclear", "whole_cell")
    if channels in (3, 4):
        return ("rgb",)
    raise ImageError(f"an image of {channels} channels needs a role for each: {', '.join(CHANNEL_ROLES)}")


def preprocessing_name(config: CellSAMConfig) -> str:
    """Names what happens to pixels before the trunks, for cache keys: it changes with the numbers that shape it."""
    strategies, tiling = config.strategies, config.tiling
    if strategies.intensity == "percentiles":
        return "percentile-1-99.8-colour" if config.colour else "percentile-1-99.8"
    shaping = json.dumps([strategies.intensity, strategies.inputs, asdict(tiling)], sort_keys=True)
    return f"{strategies.intensity}-{hashlib.sha256(shaping.encode()).hexdigest()[:16]}"


def config_channels(image: NDArray[Any], roles: Sequence[str] | None, config: CellSAMConfig) -> Pixels:
    """`model_channels` as a model's configuration wants it."""
    return model_channels(
        image, roles, colour=config.colour, normaliser=NORMALISERS[config.strategies.intensity]
    )


def model_channels(
    image: NDArray[Any],
    roles: Sequence[str] | None = None,
    *,
    colour: bool = False,
    normaliser: Callable[[NDArray[Any]], Pixels] | None = None,
) -> Pixels:
    """(H, W) or (H, W, C) uint8, uint16 or float -> (3, H, W) float32 in [0, 1], each channel normalised by itself.

    `roles` names the channels: ("nuclear",), ("whole_cell",), both in either order, or ("rgb",) for a stained RGB image
    (a fourth channel, alpha, is ignored), which becomes gray unless the model knows `colour`. Without roles see
    `default_roles`. `normaliser` brings one channel into [0, 1]; the default is `normalise`.

    Raises ImageError for another shape or dtype, no pixels, NaN or infinity, or roles that do not fit.
    """
    _check(image)
    image = _within_float32(image)
    stack = image[..., None] if image.ndim == 2 else image
    names = tuple(roles) if roles is not None else default_roles(image.shape)
    _check_roles(names, stack.shape[2])
    to_unit = normaliser or normalise
    if names == ("rgb",):
        if colour and _is_coloured(stack):
            return _stained(stack)
        planes = {"whole_cell": to_unit(_gray(stack))}
    else:
        planes = {name: to_unit(stack[..., index]) for index, name in enumerate(names)}
    pixels = np.zeros((3, *stack.shape[:2]), dtype=np.float32)
    pixels[2] = planes["whole_cell"] if "whole_cell" in planes else planes["nuclear"]
    if len(planes) == 2:
        pixels[1] = planes["nuclear"]
    return pixels


def normalise(channel_hw: NDArray[Any]) -> Pixels:
    """(H, W) -> float32 in [0, 1]: the 1st to the 99.8th percentile, with a floor under their distance."""
    values = channel_hw.astype(np.float32)
    low, span = _range(channel_hw, values)
    if span <= 0:  # all zero
        return np.zeros_like(values)
    return np.asarray(np.clip((values - low) / np.float32(span), 0.0, 1.0), dtype=np.float32)


def equalised(channel: NDArray[Any]) -> Pixels:
    """(H, W), or (H, W, 3) by its brightness -> float32 in [0, 1]: contrast-limited adaptive histogram equalisation
    (CLAHE) over 128 x 128 pixels, as in the paper. Without any contrast, zeros.
    """
    values = channel.astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return np.zeros(values.shape, dtype=np.float32)
    clahe: Callable[..., NDArray[np.float64]] = exposure.equalize_adapthist
    scaled = (values - low) / (high - low)
    return np.clip(clahe(scaled, kernel_size=CLAHE_KERNEL_PX), 0, 1).astype(np.float32)


def clipped_and_equalised(channel_hw: NDArray[Any]) -> Pixels:
    """`equalised`, after the brightest thousandth of the pixels that are not zero was clipped (the released model)."""
    values = channel_hw.astype(np.float64)
    lit = values[values != 0]
    return equalised(np.minimum(values, np.percentile(lit, CLIP_PERCENTILE)) if lit.size else values)


NORMALISERS: Mapping[str, Callable[[NDArray[Any]], Pixels]] = MappingProxyType(
    {"percentiles": normalise, "clahe": equalised, "clipped_clahe": clipped_and_equalised}
)


def _range(channel: NDArray[Any], values: Pixels) -> tuple[float, float]:
    """Where a channel's values begin, and how far they reach."""
    low, high = (float(v) for v in np.percentile(values, [LOW_PERCENTILE, HIGH_PERCENTILE]))
    full_range = 255.0 if channel.dtype == np.uint8 else float(np.abs(values).max())
    return low, max(high - low, MIN_RANGE * full_range)


def _stained(stack: NDArray[Any]) -> Pixels:
    """(H, W, 3 or 4) -> red, green, gray (3, H, W), all in the range of the gray values: hues survive."""
    gray = _gray(stack)
    low, span = _range(gray, gray.astype(np.float32))
    planes = np.stack([stack[..., 0], stack[..., 1], gray]).astype(np.float32)
    return np.asarray(np.clip((planes - low) / np.float32(span), 0.0, 1.0), dtype=np.float32)


def _is_coloured(stack: NDArray[Any]) -> bool:
    colours = stack[..., :3].astype(np.float32)
    extent = float(colours.max() - colours.min())
    return extent > 0 and float(np.ptp(colours, axis=2).mean()) > COLOURLESS * extent


def _gray(stack: NDArray[Any]) -> NDArray[Any]:
    gray = stack[..., :3].astype(np.float32) @ GRAY_OF_RGB
    # uint8 keeps its fixed range; see `normalise`.
    return np.rint(gray).astype(np.uint8) if stack.dtype == np.uint8 else gray


def _check(image: NDArray[Any]) -> None:
    if image.ndim not in (2, 3):
        raise ImageError(f"expected an image of shape (H, W) or (H, W, C), got {image.shape}")
    if image.size == 0:
        raise ImageError(f"the image has no pixels: its shape is {image.shape}")
    if image.dtype.kind not in "uif" and image.dtype != np.bool_:
        raise ImageError(f"pixels of type {image.dtype} are not supported; use uint8, uint16 or float")
    if image.dtype.kind == "f":
        if np.isnan(image).any():
            raise ImageError("the image contains NaN")
        if np.isinf(image).any():
            raise ImageError("the image contains infinite values")


def _within_float32(image: NDArray[Any]) -> NDArray[Any]:
    """Floats that float32 cannot hold, or only as zero, scaled to 1: nothing depends on the scale."""
    if image.dtype.kind != "f":
        return image
    largest = float(np.abs(image).max())
    if largest == 0 or SMALLEST < largest < LARGEST:
        return image
    return image.astype(np.float64) / largest


def _check_roles(names: tuple[str, ...], channels: int) -> None:
    unknown = [name for name in names if name not in CHANNEL_ROLES]
    if unknown:
        raise ImageError(f"unknown channel role {unknown[0]!r}; use {', '.join(CHANNEL_ROLES)}")
    if names == ("rgb",):
        if channels not in (3, 4):
            raise ImageError(f"an rgb image has 3 or 4 channels, this one has {channels}")
        return
    if "rgb" in names or len(set(names)) != len(names) or not names:
        raise ImageError(f"channel roles {names} cannot be combined")
    if len(names) != channels:
        raise ImageError(f"{len(names)} channel roles for {channels} channels")
