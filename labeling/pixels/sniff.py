"""Telling a file's kind from its first bytes, and saying what it is when it is none of ours."""

from __future__ import annotations

from labeling.pixels.limits import Source

_KINDS = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"\x93NUMPY", "npy"),
)
_FOREIGN = (
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"RIFF", "a WebP image or another RIFF file"),
    (b"PK\x03\x04", "a ZIP archive (.npz and .zip are not images)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF document"),
    (b"\x89HDF", "an HDF5 file"),
    (b"ZISRAWFILE", "a Zeiss CZI file"),
    (b"\xda\xce\xbe\x0a", "a Nikon ND2 file"),
    (b"\x70\x00\x00\x00", "a Leica LIF file"),
    (b"\xd0\xcf\x11\xe0", "a Microsoft compound file (OIB, ZVI)"),
    (b"\x00\x00\x00\x0cjP", "a JPEG 2000 image"),
    (b"\x80\x04", "a Python pickle, which is never opened"),
)
_ACCEPTED = "Export it as TIFF, PNG or JPEG and upload that."


def sniff(source: Source) -> str:
    """ "png", "jpeg", "tiff" or "npy". Raises PixelError for anything else."""
    head = source.read_at(0, 512)
    for magic, kind in _KINDS:
        if head.startswith(magic):
            return kind
    for magic, description in _FOREIGN:
        if head.startswith(magic):
            raise source.error(f"this is {description}, which is not supported", do=_ACCEPTED)
    if _is_text(head):
        raise source.error(f"this is not an image: the file holds text{_despite(source.name)}", do=_ACCEPTED)
    raise source.error(
        f"this is not an image of a kind that can be read{_despite(source.name)}", do=_ACCEPTED
    )


def _is_text(head: bytes) -> bool:
    try:
        text = head[: len(head) // 4 * 4].decode() if len(head) >= 4 else head.decode()
    except UnicodeDecodeError as error:
        # A multi-byte character may be cut off by the end of what was read.
        return error.start > 0 and error.start >= len(head) - 4
    return all(c.isprintable() or c in "\r\n\t" for c in text)


def _despite(name: str) -> str:
    _, dot, ending = name.rpartition(".")
    return f", whatever its ending .{ending} says" if dot and 0 < len(ending) <= 5 else ""
