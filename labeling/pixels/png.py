"""PNG: grey, palette and colour, 1 to 16 bits. Alpha is left out; a palette is applied."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import imagecodecs
import numpy as np
from PIL import PngImagePlugin

from labeling.pixels.info import PixelError, PixelInfo, Pixels
from labeling.pixels.limits import Source
from labeling.pixels.samples import DECODER_ERRORS, AnyArray, finish, picture_names

_GREY, _PALETTE = 0, 3
_SAMPLES = {_GREY: 1, 2: 3, _PALETTE: 3, 4: 2, 6: 4}  # by colour type; a palette decodes to RGB
_CHUNK = 1 << 20


def probe(source: Source) -> PixelInfo:
    height, width, bits, colour = _header(source)
    samples = _SAMPLES[colour]
    source.check_claim(height=height, width=width, channels=samples, sample_bytes=2 if bits == 16 else 1)
    return PixelInfo(
        format="png",
        height=height,
        width=width,
        dtype="uint16" if bits == 16 else "uint8",
        channel_names=picture_names(3 if samples >= 3 else 1),
        pixel_size_um=None,  # pHYs is a print resolution in practice (72 or 96 dpi), not a microscope's scale
        source_dtype=f"uint{bits}",
        notes=("Its transparency is left out.",) if colour in (4, 6) else (),
    )


def read(source: Source, frame: int = 0) -> Pixels:
    info = probe(source)
    _, _, bits, colour = _header(source)
    try:
        # Pillow reads 16-bit colour as 8-bit.
        samples = _decode_deep(source) if bits == 16 and colour != _GREY else _decode(source)
    except DECODER_ERRORS as error:
        raise _cut_short(source) from error
    if samples.shape[:2] != (info.height, info.width):
        raise _cut_short(source)
    kept = samples[..., : 3 if samples.shape[2] >= 3 else 1]
    return finish(source, np.moveaxis(kept, -1, 0), info, photo=kept.shape[2] == 3)


def _decode(source: Source) -> AnyArray:
    """(H, W, samples)."""
    # The plugin itself, not Image.open: that would try forty other formats and apply a size limit of its own.
    with PngImagePlugin.PngImageFile(source.rewound()) as image:
        picture = image.convert("RGB") if image.mode == "P" else image
        return np.atleast_3d(np.asarray(picture))


def _decode_deep(source: Source) -> AnyArray:
    """(H, W, samples) uint16.

    The compressed stream is checked first: imagecodecs loses a reference to None each time libpng refuses one
    (2026.3.6), and a few thousand of those end the process.
    """
    height, width, _, colour = _header(source)
    needed = height * width * _SAMPLES[colour] * 2
    inflate, inflated = zlib.decompressobj(), 0
    for piece in _image_data(source):
        while piece and inflated <= 2 * needed + _CHUNK:
            inflated += len(inflate.decompress(piece, _CHUNK))
            piece = inflate.unconsumed_tail
    if not inflate.eof or inflated < needed:
        raise ValueError("the image data are not of the size that the header says")
    return np.atleast_3d(imagecodecs.png_decode(source.read_at(0, source.size)))


def _image_data(source: Source) -> Iterator[bytes]:
    """The data of the IDAT chunks. Raises ValueError if a chunk is cut or its checksum is wrong."""
    position = 8
    while position < source.size:
        head = source.read_at(position, 8)
        if len(head) < 8:
            raise ValueError("a chunk is cut short")
        length, kind = int.from_bytes(head[:4]), head[4:]
        data, crc = source.read_at(position + 8, length), source.read_at(position + 8 + length, 4)
        if len(crc) < 4 or zlib.crc32(kind + data) != int.from_bytes(crc):
            raise ValueError("a chunk is damaged")
        if kind == b"IDAT":
            yield data
        if kind == b"IEND":
            return
        position += 12 + length


def _header(source: Source) -> tuple[int, int, int, int]:
    """(height, width, bits, colour type)."""
    head = source.read_at(0, 33)
    if len(head) < 33 or head[12:16] != b"IHDR":
        raise _cut_short(source)
    width, height, bits, colour = struct.unpack(">IIBB", head[16:26])
    if colour not in _SAMPLES or bits not in (1, 2, 4, 8, 16):
        raise source.error("its PNG header is damaged", do="Export the image again and upload that.")
    return height, width, bits, colour


def _cut_short(source: Source) -> PixelError:
    return source.error(
        "its pixel data are cut short or damaged", do="Copy it from the original and upload it again."
    )
