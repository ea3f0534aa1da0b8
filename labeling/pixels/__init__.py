"""Reading foreign image files without trusting them: PNG, JPEG, TIFF and numeric .npy.

``probe`` looks at headers only and is cheap enough for the web process; ``read_pixels`` decodes and belongs in the
ingest worker. Both refuse with a PixelError that names the file. A file's type is told from its first bytes, never
from its name. The pixel grid is the stored one: an EXIF or TIFF orientation tag is not applied (a note says so), so
that masks and exported labels line up with the file in every program that reads the raw samples.
"""

from __future__ import annotations

from typing import Protocol

from labeling.pixels import jpeg, npy, png, tiff
from labeling.pixels.info import RGB_NAMES, BinaryFile, ChannelRoles, FrameAxis, PixelError, PixelInfo, Pixels
from labeling.pixels.limits import DEFAULT_MAX_BYTES, DEFAULT_MAX_PIXELS, Limits, Source
from labeling.pixels.samples import DECODER_ERRORS
from labeling.pixels.sniff import sniff

__all__ = [
    "DEFAULT_MAX_BYTES",
    "DEFAULT_MAX_PIXELS",
    "RGB_NAMES",
    "BinaryFile",
    "ChannelRoles",
    "FrameAxis",
    "PixelError",
    "PixelInfo",
    "Pixels",
    "probe",
    "read_pixels",
]


class _Reader(Protocol):
    """A module for one file format."""

    def probe(self, source: Source) -> PixelInfo: ...

    def read(self, source: Source, frame: int) -> Pixels: ...


_READERS: dict[str, _Reader] = {"png": png, "jpeg": jpeg, "tiff": tiff, "npy": npy}


def probe(
    file: BinaryFile,
    name: str,
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    max_bytes: int = DEFAULT_MAX_BYTES,
) -> PixelInfo:
    """What the headers of a seekable binary file say, without decoding a pixel.

    Raises PixelError if the file is of no known kind, is damaged as far as headers tell, or is past a limit
    (``max_pixels`` counts one plane). Leaves the file at position 0.
    """
    source = _open(file, name, Limits(max_pixels=max_pixels, max_bytes=max_bytes))
    try:
        return _READERS[sniff(source)].probe(source)
    except PixelError:
        raise
    except DECODER_ERRORS as error:
        raise _damaged(name) from error
    finally:
        file.seek(0)


def read_pixels(
    file: BinaryFile,
    name: str,
    *,
    frame: int = 0,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    max_bytes: int = DEFAULT_MAX_BYTES,
) -> Pixels:
    """All samples of a seekable binary file as a (C, H, W) array of uint8 or uint16; of a series, those of one frame.

    ``frame`` counts from 0. Decodes block by block into the result, so memory stays within a small multiple of the
    frame's decoded size. Raises PixelError. Leaves the file at position 0.
    """
    source = _open(file, name, Limits(max_pixels=max_pixels, max_bytes=max_bytes))
    try:
        reader = _READERS[sniff(source)]
        if not 0 <= frame < reader.probe(source).frames:
            raise source.error(f"it has no frame {frame + 1}", do="Upload it again from the original.")
        return reader.read(source, frame)
    except PixelError:
        raise
    except DECODER_ERRORS as error:
        raise _damaged(name) from error
    finally:
        file.seek(0)


def _open(file: BinaryFile, name: str, limits: Limits) -> Source:
    size = file.seek(0, 2)
    size = file.tell() if size is None else size  # Django's file proxies return nothing from seek
    file.seek(0)
    source = Source(file=file, name=name, size=size, limits=limits)
    source.check_file_size()
    return source


def _damaged(name: str) -> PixelError:
    return PixelError(
        name,
        "the file is damaged and its pixels cannot be decoded",
        do="Open it in the program that made it, save it again and upload that.",
    )
