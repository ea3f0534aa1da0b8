"""JPEG: grey and colour. Print colours (CMYK) are refused: turning them into RGB would invent intensities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import JpegImagePlugin

from labeling.pixels.info import PixelInfo, Pixels
from labeling.pixels.limits import Source
from labeling.pixels.samples import finish, picture_names

_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOFn without DHT, JPG and DAC
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})  # no length follows
_MAX_HEADER = 32 * 2**20  # a long ICC profile and previews come before the size
_ORIENTATION_TAG = 0x0112


def frame_size(data: bytes) -> tuple[int, int, int, int] | None:
    """(height, width, components, bits) of a JPEG stream's frame header; None if there is none."""
    position = 2
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            return None
        marker = data[position + 1]
        if marker == 0xFF or marker in _BARE_MARKERS:
            position += 1 if marker == 0xFF else 2
            continue
        if marker in _SIZE_MARKERS:
            if position + 10 > len(data):
                return None
            height, width = (int.from_bytes(data[position + i : position + i + 2]) for i in (5, 7))
            return height, width, data[position + 9], data[position + 4]
        position += 2 + int.from_bytes(data[position + 2 : position + 4])
    return None


def probe(source: Source) -> PixelInfo:
    frame = frame_size(source.read_at(0, _MAX_HEADER))
    if frame is None:
        raise source.error(
            "it ends before its image begins", do="Copy it from the original and upload it again."
        )
    height, width, components, bits = frame
    if components not in (1, 3):
        raise source.error(
            f"it is a print-colour (CMYK) JPEG with {components} components",
            do="Save it as RGB or grey, best as PNG or TIFF, and upload that.",
        )
    if bits != 8:
        raise source.error(
            f"it is a {bits}-bit JPEG, which cannot be read", do="Save it as 16-bit TIFF and upload that."
        )
    source.check_claim(height=height, width=width, channels=components, sample_bytes=1)
    return PixelInfo(
        format="jpeg",
        height=height,
        width=width,
        dtype="uint8",
        channel_names=picture_names(components),
        pixel_size_um=None,
        source_dtype="uint8",
    )


def read(source: Source, frame: int = 0) -> Pixels:
    info = probe(source)
    # The plugin itself, not Image.open: that would try forty other formats and apply a size limit of its own.
    with JpegImagePlugin.JpegImageFile(source.rewound()) as image:
        if image.size != (info.width, info.height):
            raise source.error("its headers contradict each other", do="Save it again and upload that.")
        turned = image.getexif().get(_ORIENTATION_TAG, 1) != 1
        try:
            samples = np.atleast_3d(np.asarray(image))  # (H, W, 1 or 3)
        except OSError as error:
            raise source.error(
                "its pixel data are cut short", do="Copy it from the original and upload it again."
            ) from error
    if turned:
        note = "It asks viewers to turn it (EXIF orientation); the stored pixels are kept unturned."
        info = replace(info, notes=(note,))
    return finish(source, np.moveaxis(samples, -1, 0), info, photo=samples.shape[2] == 3)
