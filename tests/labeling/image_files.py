"""Image files made in memory, as programs in a laboratory would write them."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import tifffile
from PIL import Image

RNG = np.random.default_rng(20)
CHANNELS = RNG.integers(0, 65535, (2, 120, 90)).astype(np.uint16)  # two channels, taller than wide
GREY = CHANNELS[0]
COLOUR = RNG.integers(0, 255, (64, 50, 3)).astype(np.uint8)  # (H, W, 3)


def tiff(array: np.ndarray, **options: Any) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, array, **options)
    return out.getvalue()


def picture(array: np.ndarray | Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    image.save(out, kind, **options)
    return out.getvalue()


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def tiff_header(width: int, height: int, *, held: int = 100) -> bytes:
    """A one-strip 16-bit TIFF that claims a size and has ``held`` bytes of samples."""
    tags = [
        (256, width),
        (257, height),
        (258, 16),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, height),
        (279, held),
    ]
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + directory + bytes(4) + bytes(held)


def png_header(width: int, height: int) -> bytes:
    data = bytearray(picture(COLOUR, "PNG"))
    data[16:24] = struct.pack(">II", width, height)
    return bytes(data)
