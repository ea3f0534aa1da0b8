"""One channel brought into [0, 1] by what the whole image says, though the image is only ever read in windows.

Percentiles and ranges are exact, whatever the size of the image: what they are of passes through memory in parts. So
a window of a normalised image is the same as the normalised image cut to that window, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from skimage import util
from skimage.exposure import _adapthist

from worker.cellsam.order_statistics import percentiles
from worker.cellsam.preprocess import Window
from worker.cellsam.sources import windows

LOW_PERCENTILE, HIGH_PERCENTILE = 1.0, 99.8
# Grey levels of 255 that the percentiles are at least apart, so that an empty field stays empty and its noise small.
MIN_RANGE = 8 / 255
CLAHE_KERNEL_PX = 128  # of the paper
CLIP_PERCENTILE = 99.9  # of the pixels that are not zero
# A pixel's equalisation depends on the blocks around it. At the image's border, blocks are filled up with their mirror
# image, which reaches two blocks back.
CLAHE_HALO_PX = 2 * CLAHE_KERNEL_PX
CLAHE_CLIP, CLAHE_BINS = 0.01, 256  # scikit-image's defaults
CLAHE_STRIDE_PX = 1024  # of the windows in which all is equalised: it takes some hundred bytes a pixel

_img_as_uint: Callable[..., NDArray[np.uint16]] = util.img_as_uint
_clahe: Callable[..., NDArray[np.uint16]] = _adapthist._clahe

Pixels = NDArray[np.float32]


class Plane(Protocol):
    """One channel of an image."""

    @property
    def height(self) -> int: ...

    @property
    def width(self) -> int: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def read(self, window: Window) -> NDArray[Any]:
        """(y1 - y0, x1 - x0) samples of `dtype`."""
        ...


@dataclass(frozen=True, slots=True)
class Stretched:
    """float32 in [0, 1]: `low` becomes 0, `low + span` 1, what lies beyond is cut. Without a span, zeros."""

    plane: Plane
    low: float
    span: float

    @property
    def height(self) -> int:
        return self.plane.height

    @property
    def width(self) -> int:
        return self.plane.width

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32)

    def read(self, window: Window) -> Pixels:
        values = self.plane.read(window).astype(np.float32)
        if self.span <= 0:
            return np.zeros_like(values)
        return np.asarray(np.clip((values - self.low) / np.float32(self.span), 0.0, 1.0), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Equalised:
    """float32 in [0, 1]: contrast-limited adaptive histogram equalisation (CLAHE) over blocks of 128 x 128 pixels,
    which begin at the image's corner. Values from `low` to `high` are cut at `high`; the result's own range,
    `darkest` to `brightest` of 16384 gray levels, becomes [0, 1].
    """

    plane: Plane
    low: float
    high: float
    darkest: int = 0
    brightest: int = 0

    @property
    def height(self) -> int:
        return self.plane.height

    @property
    def width(self) -> int:
        return self.plane.width

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32)

    def read(self, window: Window) -> Pixels:
        x0, y0, x1, y1 = window
        if not self.brightest > self.darkest:
            return np.zeros((y1 - y0, x1 - x0), dtype=np.float32)
        levels = self.levels(window).astype(np.float64)
        return ((levels - self.darkest) / (self.brightest - self.darkest)).astype(np.float32)

    def levels(self, window: Window) -> NDArray[np.uint16]:
        """(h, w) equalised gray levels, 0 to 16383, before they are spread over [0, 1]."""
        x0, y0, x1, y1 = window
        left, right = _around(x0, x1, self.width)
        top, bottom = _around(y0, y1, self.height)
        values = np.minimum(self.plane.read((left, top, right, bottom)).astype(np.float64), self.high)
        steps = (
            _img_as_uint((values - self.low) / (self.high - self.low)) / 65535 * (_adapthist.NR_OF_GRAY - 1)
        )
        # The public function stretches what it is given, and what it gives, by the range of that window alone.
        whole = _clahe(np.round(steps).astype(np.uint16), [CLAHE_KERNEL_PX] * 2, CLAHE_CLIP, CLAHE_BINS)
        return whole[y0 - top : y1 - top, x0 - left : x1 - left]


def stretch_of(plane: Plane) -> tuple[float, float]:
    """Where a channel's values begin and how far they reach: the 1st to the 99.8th percentile, with a floor under their
    distance.
    """
    dtype = plane.dtype if plane.dtype in (np.uint8, np.uint16) else np.dtype(np.float32)
    low, high, least, most = percentiles(
        lambda: _parts(plane, dtype), dtype, [LOW_PERCENTILE, HIGH_PERCENTILE, 0, 100]
    )
    full_range = 255.0 if plane.dtype == np.uint8 else max(abs(least), abs(most))
    return low, max(high - low, MIN_RANGE * full_range)


def stretched(plane: Plane) -> Plane:
    """By `stretch_of` the plane."""
    return Stretched(plane, *stretch_of(plane))


def equalised_plane(plane: Plane, *, at_most: float = np.inf) -> Plane:
    """By the plane's own range, cut at `at_most`. Without any contrast, zeros."""
    ranges = [(float(part.min()), float(part.max())) for part in _parts(plane, np.dtype(np.float64))]
    low, high = min(low for low, _ in ranges), min(max(high for _, high in ranges), at_most)
    if not high > low:
        return Equalised(plane, low, high)
    unspread = map(Equalised(plane, low, high).levels, windows(plane.height, plane.width, CLAHE_STRIDE_PX))
    levels = [(int(part.min()), int(part.max())) for part in unspread]
    return Equalised(plane, low, high, min(low for low, _ in levels), max(high for _, high in levels))


def clipped_and_equalised(plane: Plane) -> Plane:
    """`equalised_plane`, after the brightest thousandth of the pixels that are not zero was clipped (as released)."""
    dtype = plane.dtype if plane.dtype in (np.uint8, np.uint16) else np.dtype(np.float64)

    def lit() -> Iterator[NDArray[Any]]:
        return (part[part != 0] for part in _parts(plane, dtype))

    if not any(part.size for part in lit()):
        return equalised_plane(plane)
    return equalised_plane(plane, at_most=percentiles(lit, dtype, [CLIP_PERCENTILE])[0])


def as_it_is(plane: Plane) -> Plane:
    """For samples in [0, 1]."""
    return Stretched(plane, 0.0, 1.0)


NORMALISERS: Mapping[str, Callable[[Plane], Plane]] = MappingProxyType(
    {
        "percentiles": stretched,
        "clahe": equalised_plane,
        "clipped_clahe": clipped_and_equalised,
        "none": as_it_is,
    }
)


def _parts(plane: Plane, dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    return (plane.read(window).astype(dtype, copy=False) for window in windows(plane.height, plane.width))


def _around(start: int, stop: int, length: int) -> tuple[int, int]:
    """The whole blocks that a stretch touches, and those near enough to matter, inside `length`."""
    kernel = CLAHE_KERNEL_PX
    first = start // kernel * kernel - CLAHE_HALO_PX
    last = -(-stop // kernel) * kernel + CLAHE_HALO_PX
    return max(0, first), min(length, last)
