"""NumPy .npy files with plain numbers. Objects (a pickle) are refused before anything is read past the header."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.lib import format as npy_format

from labeling.pixels.info import RGB_NAMES, PixelInfo, Pixels, channel_names
from labeling.pixels.limits import MAX_UNDECLARED_CHANNELS, Source
from labeling.pixels.samples import DECODER_ERRORS, AnyArray, finish, stored_dtype

_MAX_HEADER = 10_000  # characters; NumPy's own default against hostile headers


@dataclass(frozen=True, slots=True)
class _Layout:
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[np.generic]
    offset: int  # of the first sample, in bytes
    channel_axis: int | None  # None: the array is (H, W)

    @property
    def chw(self) -> tuple[int, int, int]:
        if self.channel_axis is None:
            return (1, *self.shape)  # type: ignore[return-value]
        rest = tuple(n for axis, n in enumerate(self.shape) if axis != self.channel_axis)
        return (self.shape[self.channel_axis], *rest)  # type: ignore[return-value]

    @property
    def is_rgb(self) -> bool:
        """(H, W, 3) is how pictures are kept; (3, H, W) is how channels are."""
        return self.channel_axis == 2 and self.shape[2] == 3 and self.dtype.itemsize == 1


def probe(source: Source) -> PixelInfo:
    layout = _layout(source)
    channels, height, width = layout.chw
    source.check_claim(height=height, width=width, channels=channels, sample_bytes=layout.dtype.itemsize)
    dtype = stored_dtype(source, layout.dtype)
    held, needed = source.size - layout.offset, math.prod(layout.shape) * layout.dtype.itemsize
    if held < needed:
        raise source.error(
            f"it is cut short: {held:,} of {needed:,} bytes of samples are there",
            do="Save it again and upload that.",
        )
    return PixelInfo(
        format="npy",
        height=height,
        width=width,
        dtype=dtype,
        channel_names=RGB_NAMES if layout.is_rgb else channel_names(channels),
        pixel_size_um=None,
        source_dtype=layout.dtype.name,
    )


def read(source: Source, frame: int = 0) -> Pixels:
    info, layout = probe(source), _layout(source)
    raw = source.read_at(layout.offset, math.prod(layout.shape) * layout.dtype.itemsize)
    array: AnyArray = np.frombuffer(raw, dtype=layout.dtype).reshape(
        layout.shape, order="F" if layout.fortran else "C"
    )
    chw = array[None] if layout.channel_axis is None else np.moveaxis(array, layout.channel_axis, 0)
    return finish(source, chw, info, photo=layout.is_rgb)


def _layout(source: Source) -> _Layout:
    # The header alone, so that a header that claims 4 GB reads no more than this.
    head = io.BytesIO(source.read_at(0, 2 * _MAX_HEADER))
    try:
        version = npy_format.read_magic(head)
        reader = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        shape, fortran, dtype = reader(head, max_header_size=_MAX_HEADER)
    except DECODER_ERRORS as error:
        raise source.error(
            "its .npy header is damaged", do="Save it again with numpy.save and upload that."
        ) from error
    if dtype.hasobject:
        raise source.error(
            "it holds Python objects (a pickle), which are never opened because they can run code",
            do="Save plain numbers: numpy.save(path, array.astype('uint16')).",
        )
    return _Layout(
        shape, fortran, cast("np.dtype[np.generic]", dtype), head.tell(), _channel_axis(source, shape)
    )


def _channel_axis(source: Source, shape: tuple[int, ...]) -> int | None:
    """Two axes are (H, W). Of three, the first is channels if it is at most 8 long, else the last."""
    if len(shape) == 2:
        return None
    if len(shape) == 3 and shape[0] <= MAX_UNDECLARED_CHANNELS:
        return 0
    if len(shape) == 3 and shape[2] <= MAX_UNDECLARED_CHANNELS:
        return 2
    raise source.error(
        f"its shape {tuple(shape)} is not (height, width), (channels, height, width) or (height, width, channels) "
        f"with at most {MAX_UNDECLARED_CHANNELS} channels; stacks are not supported yet",
        do="Save one plane per file and upload those.",
    )
