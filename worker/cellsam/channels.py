"""From a microscope's pixels to the model's three channels, with a clear word where that cannot be done.

CellSAM's convention: red blank, green nuclear, blue whole-cell; a lone channel of either kind goes to blue. A model
that was trained on colour gets a stained image as red, green and, in blue, its gray values: the same colour space with
what every other kind of image has in its usual place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from skimage import exposure

from worker.cellsam.config import CellSAMConfig
from worker.cellsam.intensity import (
    CLAHE_KERNEL_PX,
    NORMALISERS,
    Pixels,
    Plane,
    Stretched,
    equalised_plane,
    stretch_of,
    stretched,
)
from worker.cellsam.preprocess import Window
from worker.cellsam.sources import ArraySource, MadeOf, PixelSource, Samples, windows

CHANNEL_ROLES = ("nuclear", "whole_cell", "rgb")
SMALLEST, LARGEST = 1e-30, 1e30  # of floats that are safe to subtract and square in float32
COLOURLESS = 0.01  # mean distance of an image's colours, as a share of its range, under which it is gray
GRAY_OF_RGB = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601 luma

Image = Samples | PixelSource
Intensity = Literal["percentiles", "clahe", "clipped_clahe", "none"]


class ImageError(ValueError):
    """This image cannot be segmented; the message says why."""


@dataclass(frozen=True, slots=True)
class ModelImage:
    """An image as a model takes it, normalised by what all of it says and read by windows; None: a blank channel."""

    height: int
    width: int
    red: Plane | None
    green: Plane | None
    blue: Plane

    def read(self, window: Window) -> Pixels:
        """(3, y1 - y0, x1 - x0) float32 in [0, 1]."""
        x0, y0, x1, y1 = window
        pixels = np.zeros((3, y1 - y0, x1 - x0), dtype=np.float32)
        for channel, plane in zip(pixels, (self.red, self.green, self.blue), strict=True):
            if plane is not None:
                channel[...] = plane.read(window)
        return pixels

    @property
    def whole(self) -> Window:
        return 0, 0, self.width, self.height


def default_roles(channels: int) -> tuple[str, ...]:
    """Roles of an unnamed image: gray = whole_cell, two channels = nuclear and whole-cell, three or four = rgb."""
    if channels == 1:
        return ("whole_cell",)
    if channels == 2:
        return ("nuclear", "whole_cell")
    if channels in (3, 4):
        return ("rgb",)
    raise ImageError(f"an image of {channels} channels needs a role for each: {', '.join(CHANNEL_ROLES)}")


def preprocessing_name(config: CellSAMConfig, *, scale: float = 1.0, enhance: bool = False) -> str:
    """Names what happens to pixels before the trunks, for cache keys: it changes with the numbers that shape it.

    What was asked for beyond the configuration comes after a "+".
    """
    strategies, tiling = config.strategies, config.tiling
    asked = f"+x{scale:g}" * (scale != 1) + "+enhanced" * enhance
    if strategies.intensity == "percentiles":
        return ("percentile-1-99.8-colour" if config.colour else "percentile-1-99.8") + asked
    shaping = json.dumps([strategies.intensity, strategies.inputs, asdict(tiling)], sort_keys=True)
    return f"{strategies.intensity}-{hashlib.sha256(shaping.encode()).hexdigest()[:16]}{asked}"


def config_image(
    image: Image,
    roles: Sequence[str] | None,
    config: CellSAMConfig,
    *,
    enhance: bool = False,
    equalised: bool = False,
) -> ModelImage:
    """`model_image` as a model's configuration wants it.

    `equalised`: samples in [0, 1] that went through CLAHE already, as the tiles that `prepare` writes. A model whose
    images are to be equalised takes them as they are; one that goes by percentiles treats them like any image.
    """
    wanted = config.strategies.intensity
    intensity = "none" if equalised and wanted != "percentiles" else wanted
    return model_image(image, roles, colour=config.colour, intensity=intensity, enhance=enhance)


def config_channels(
    image: Samples, roles: Sequence[str] | None, config: CellSAMConfig, *, equalised: bool = False
) -> Pixels:
    """`model_channels` as a model's configuration wants it; see `config_image`."""
    made = config_image(image, roles, config, equalised=equalised)
    return made.read(made.whole)


def model_channels(image: Samples, roles: Sequence[str] | None = None, *, colour: bool = False) -> Pixels:
    """(H, W) or (H, W, C) -> (3, H, W) float32 in [0, 1]: all of a `model_image` by percentiles."""
    made = model_image(image, roles, colour=colour)
    return made.read(made.whole)


def model_image(
    image: Image,
    roles: Sequence[str] | None = None,
    *,
    colour: bool = False,
    intensity: Intensity = "percentiles",
    enhance: bool = False,
) -> ModelImage:
    """uint8, uint16 or float samples -> three channels in [0, 1], each normalised by itself, over the whole image.

    `roles` names the channels: ("nuclear",), ("whole_cell",), both in either order, or ("rgb",) for a stained RGB image
    (a fourth channel, alpha, is ignored), which becomes gray unless the model knows `colour`. Without roles see
    `default_roles`. `intensity` is one of `intensity.NORMALISERS`; a stained image in colour always goes by percentiles
    of its gray values. `enhance` equalises each channel before that, for images of low or uneven contrast.

    The image is read once or more from end to end, in windows. Raises ImageError for another shape or dtype, no pixels,
    NaN or infinity, or roles that do not fit.
    """
    source = _within_float32(as_source(image))
    names = tuple(roles) if roles is not None else default_roles(source.channels)
    _check_roles(names, source.channels)

    def unit(plane: Plane) -> Plane:
        return NORMALISERS[intensity](equalised_plane(plane) if enhance else plane)

    size = source.height, source.width
    if names == ("rgb",):
        if colour and _is_coloured(source):
            return ModelImage(*size, *_stained(source, enhance))
        return ModelImage(*size, None, None, unit(_Gray(source)))
    planes = {name: unit(_Channel(source, index)) for index, name in enumerate(names)}
    if len(planes) == 2:
        return ModelImage(*size, None, planes["nuclear"], planes["whole_cell"])
    (lone,) = planes.values()
    return ModelImage(*size, None, None, lone)


def normalise(channel_hw: Samples) -> Pixels:
    """(H, W) -> float32 in [0, 1]: the 1st to the 99.8th percentile, with a floor under their distance."""
    plane = _Channel(ArraySource(channel_hw), 0)
    return stretched(plane).read((0, 0, plane.width, plane.height))


def equalised(channel: Samples) -> Pixels:
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


@dataclass(frozen=True, slots=True)
class _Channel(MadeOf):
    index: int

    def read(self, window: Window) -> Samples:
        channel: Samples = self.source.read(window)[..., self.index]
        return channel


@dataclass(frozen=True, slots=True)
class _Gray(MadeOf):
    """The gray values of a stained image: uint8 stays uint8, with its fixed range; anything else is float32."""

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.uint8 if self.source.dtype == np.uint8 else np.float32)

    def read(self, window: Window) -> Samples:
        # Not as a product of matrices: a library may round that by the window's shape.
        red, green, blue = np.moveaxis(self.source.read(window)[..., :3].astype(np.float32), -1, 0)
        gray: Samples = red * GRAY_OF_RGB[0] + green * GRAY_OF_RGB[1] + blue * GRAY_OF_RGB[2]
        return np.rint(gray).astype(np.uint8) if self.dtype == np.uint8 else gray


@dataclass(frozen=True, slots=True)
class _Scaled(MadeOf):
    """Samples as shares of `largest`, in float64."""

    largest: float

    @property
    def channels(self) -> int:
        return self.source.channels

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float64)

    def read(self, window: Window) -> Samples:
        return self.source.read(window).astype(np.float64) / self.largest


def _stained(source: PixelSource, enhance: bool) -> tuple[Plane, Plane, Plane]:
    """Red, green and gray, all in the range of the gray values: hues survive. Enhanced, each by itself: they fade."""
    gray: Plane = _Gray(source)
    planes: list[Plane] = [_Channel(source, 0), _Channel(source, 1), gray]
    if enhance:
        planes = [equalised_plane(plane) for plane in planes]
        gray = planes[2]
    low, span = stretch_of(gray)
    red, green, gray = (Stretched(plane, low, span) for plane in planes)
    return red, green, gray


def _is_coloured(source: PixelSource) -> bool:
    least, most, distance = np.inf, -np.inf, 0.0
    for window in windows(source.height, source.width):
        colours = source.read(window)[..., :3].astype(np.float32)
        least, most = min(least, float(colours.min())), max(most, float(colours.max()))
        distance += float(np.ptp(colours, axis=2).sum(dtype=np.float64))
    return most > least and distance / (source.height * source.width) > COLOURLESS * (most - least)


def as_source(image: Image) -> PixelSource:
    """An array (H, W) or (H, W, C), or a source as it is. Raises ImageError for what has no pixels or no numbers."""
    if isinstance(image, np.ndarray):
        if image.ndim not in (2, 3):
            raise ImageError(f"expected an image of shape (H, W) or (H, W, C), got {image.shape}")
        if image.size == 0:
            raise ImageError(f"the image has no pixels: its shape is {image.shape}")
        image = ArraySource(image)
    elif not hasattr(image, "read"):
        raise ImageError(f"expected an array or a source of pixels, got {type(image).__name__}")
    if image.dtype.kind not in "uif" and image.dtype != np.bool_:
        raise ImageError(f"pixels of type {image.dtype} are not supported; use uint8, uint16 or float")
    return image


def _within_float32(source: PixelSource) -> PixelSource:
    """Floats that float32 cannot hold, or only as zero, scaled to 1: nothing depends on the scale."""
    if source.dtype.kind != "f":
        return source
    largest = 0.0
    for window in windows(source.height, source.width):
        samples = source.read(window)
        if np.isnan(samples).any():
            raise ImageError("the image contains NaN")
        largest = max(largest, float(np.abs(samples).max()))
    if np.isinf(largest):
        raise ImageError("the image contains infinite values")
    if largest == 0 or SMALLEST < largest < LARGEST:
        return source
    return _Scaled(source, largest)


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
