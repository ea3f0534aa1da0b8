"""From whatever numbers a file holds to the uint8 or uint16 samples that CellLoop keeps."""

from __future__ import annotations

import struct
import tokenize
import xml.etree.ElementTree as ElementTree
import zlib
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from labeling.pixels.info import RGB_NAMES, PixelInfo, Pixels, StoredArray, StoredDtype, channel_names
from labeling.pixels.limits import Source

AnyArray = NDArray[np.generic]

# What third-party decoders were seen to raise on hostile bytes. imagecodecs' own errors are RuntimeErrors.
DECODER_ERRORS = (
    OSError,
    ValueError,
    RuntimeError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    SyntaxError,
    EOFError,
    AssertionError,
    MemoryError,
    struct.error,
    zlib.error,
    tokenize.TokenError,
    ElementTree.ParseError,
)


def stored_dtype(source: Source, dtype: np.dtype[np.generic] | None) -> StoredDtype:
    """The kept dtype for samples of ``dtype``. Raises PixelError for numbers that are no intensities."""
    if dtype is None or dtype.kind not in "buif":
        held = "samples of an unknown kind" if dtype is None else f"{dtype.name} samples"
        raise source.error(
            f"it holds {held}, which are not image intensities",
            do="Convert it to 8-bit, 16-bit or float and upload that.",
        )
    return "uint8" if dtype == np.uint8 or dtype.kind == "b" else "uint16"


def finish(source: Source, array_chw: AnyArray, info: PixelInfo, *, photo: bool) -> Pixels:
    """The kept form of decoded samples. ``photo`` says that three channels are a colour picture."""
    notes = list(info.notes)
    stored = _to_stored(source, array_chw, notes, jointly=photo)
    names = info.channel_names
    if photo and _is_grey(stored):
        # A grey picture saved as RGB is common; three equal channels would have to be mapped by hand.
        stored, names = stored[:1], channel_names(1)
        notes.append("Its red, green and blue are equal, so one grey channel is kept.")
    return Pixels(
        array=cast("StoredArray", np.ascontiguousarray(stored)),
        info=replace(
            info,
            height=int(stored.shape[1]),
            width=int(stored.shape[2]),
            dtype="uint8" if stored.dtype == np.uint8 else "uint16",
            channel_names=names,
            notes=tuple(notes),
        ),
    )


def picture_names(count: int) -> tuple[str, ...]:
    """Names of the channels of a PNG or JPEG without its alpha."""
    return RGB_NAMES if count == 3 else channel_names(count)


def _is_grey(array_chw: StoredArray) -> bool:
    if array_chw.shape[0] != 3 or array_chw.min() == array_chw.max():
        return False
    red, green, blue = array_chw
    return bool(np.array_equal(red, green) and np.array_equal(red, blue))


def _to_stored(source: Source, array_chw: AnyArray, notes: list[str], *, jointly: bool) -> StoredArray:
    kind = array_chw.dtype.kind
    if kind == "b":
        return array_chw.astype(np.uint8) * np.uint8(255)
    if kind == "f":
        return _from_floats(
            source, array_chw.astype(array_chw.dtype.newbyteorder("="), copy=False), notes, jointly=jointly
        )
    if array_chw.dtype.itemsize == 1 and kind == "u":
        return array_chw.astype(np.uint8, copy=False)
    if array_chw.dtype.itemsize == 2 and kind == "u":
        return array_chw.astype(np.uint16, copy=False)
    low, high = int(array_chw.min()), int(array_chw.max())
    if low < 0 or high > 65535:
        raise source.error(
            f"its {array_chw.dtype.name} values run from {low} to {high} and do not fit 16 bits (0 to 65535)",
            do="Convert it to 16-bit and upload that.",
        )
    return array_chw.astype(np.uint16)


def _from_floats(source: Source, array_chw: AnyArray, notes: list[str], *, jointly: bool) -> StoredArray:
    """uint16: values from 0 to 1 times 65535, whole numbers up to 65535 as they are, others stretched to 0..65535."""
    _check_finite(source, array_chw)
    lows = [float(plane.min()) for plane in array_chw]
    highs = [float(plane.max()) for plane in array_chw]
    if jointly:
        lows, highs = [min(lows)] * len(lows), [max(highs)] * len(highs)
    if min(lows) >= 0 and max(highs) <= 1:
        lows, highs = [0.0] * len(lows), [1.0] * len(highs)
        notes.append("Its float values from 0 to 1 were stored as 0 to 65535.")
    elif min(lows) >= 0 and max(highs) <= 65535 and all(_is_whole(plane) for plane in array_chw):
        return array_chw.astype(np.uint16)
    else:
        ranges = ", ".join(f"{low:g} to {high:g}" for low, high in zip(lows, highs, strict=True))
        notes.append(f"Its float values ({ranges}) were stretched to 0 to 65535.")
    stored = np.empty(array_chw.shape, dtype=np.uint16)
    for target, plane, low, high in zip(stored, array_chw, lows, highs, strict=True):
        # float64 row bands: the whole plane in float64 would be four times its kept size
        for top in range(0, plane.shape[0], 256):
            band = plane[top : top + 256].astype(np.float64)
            span = (high - low) or 1.0
            target[top : top + 256] = np.rint((band - low) * (65535.0 / span)).astype(np.uint16)
    return stored


def _is_whole(plane_hw: AnyArray) -> bool:
    return all(
        bool((band == np.rint(band)).all())
        for band in np.array_split(plane_hw, max(1, plane_hw.shape[0] // 256))
    )


def _check_finite(source: Source, array_chw: AnyArray) -> None:
    count, total = array_chw.shape[0], array_chw[0].size
    bad = [total - int(np.count_nonzero(np.isfinite(plane))) for plane in array_chw]
    if not any(bad):
        return
    worst = next(index for index, missing in enumerate(bad) if missing)
    where = f" in channel {worst + 1} of {count}" if count > 1 else ""
    sound = [str(index + 1) for index, missing in enumerate(bad) if not missing]
    raise source.error(
        f"{bad[worst]:,} of {total:,} values{where} are NaN or infinite",
        fine=f"Channel {', '.join(sound)} is fine." if sound else "The rest of its values are fine.",
        do="Replace them with numbers (0 for no signal) and upload it again.",
    )
