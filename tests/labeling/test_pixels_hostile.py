"""Files that are broken, dishonest or of another kind: each is refused by name and reason, before memory is spent."""

import io
import os
import random
import resource
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from labeling.pixels import PixelError, probe, read_pixels
from tests.labeling.image_files import CHANNELS, COLOUR, GREY, npy, picture, png_header, tiff, tiff_header


class Boom:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('the pickle was opened')",)


def with_nan() -> bytes:
    values = np.random.default_rng(0).random((2, 40, 30)).astype(np.float32)
    values[1, 3, 4] = np.nan
    return tiff(values)


def pickled() -> bytes:
    objects = np.empty(2, dtype=object)
    objects[:] = [Boom(), 1]
    return npy(objects)


def ome(xml: str) -> bytes:
    return tiff(CHANNELS, photometric="minisblack", metadata=None, description=xml)


def cut(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


FIVE_PAGES = tiff(np.zeros((5, 64, 64), np.uint8), photometric="minisblack", metadata=None)
BILLION_LAUGHS = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><OME>&b;</OME>'
ELSEWHERE = (
    '<OME><Image><Pixels DimensionOrder="XYZCT" Type="uint16" SizeX="90" SizeY="120" SizeC="2" SizeZ="1" SizeT="1">'
    '<TiffData IFD="0"><UUID FileName="../../secret.tif">urn:uuid:1</UUID></TiffData>'
    '<TiffData IFD="0"><UUID FileName="/etc/passwd">urn:uuid:2</UUID></TiffData></Pixels></Image></OME>'
)
GREEDY = (
    '<OME><Image><Pixels DimensionOrder="XYZCT" Type="uint16" SizeX="90" SizeY="120" SizeC="2000000000" SizeZ="1" '
    'SizeT="1"><TiffData IFD="0" PlaneCount="2000000000"/></Pixels></Image></OME>'
)
FRAMES_OF_NOWHERE = (
    '<OME><Image><Pixels DimensionOrder="XYZCT" Type="uint8" SizeX="16" SizeY="16" SizeC="1" SizeZ="1" SizeT="2">'
    '<TiffData FirstT="0" IFD="0"/><TiffData FirstT="1" IFD="7"/></Pixels></Image></OME>'
)

REFUSED = {
    "empty file": (b"", "the file is empty"),
    "text named .png": (b"my notes on the experiment\n" * 20, "the file holds text"),
    "noise": (bytes(range(1, 200)), "not an image of a kind that can be read"),
    "zip": (b"PK\x03\x04" + bytes(99), "ZIP archive"),
    "pickle": (b"\x80\x04\x95" + bytes(99), "pickle, which is never opened"),
    "huge PNG header": (png_header(100_000, 100_000), "100000 x 100000 pixels"),
    "huge TIFF header": (tiff_header(100_000, 100_000), "100000 x 100000 pixels"),
    "PNG of no width": (png_header(0, 40), "no pixels"),
    "TIFF of no size": (tiff_header(0, 0), "no pixels"),
    "npy of no size": (npy(np.zeros((0, 5))), "no pixels"),
    "truncated TIFF": (cut(tiff(GREY), 0.5), "truncated"),
    "truncated compressed TIFF": (
        cut(tiff(GREY, compression="zlib", rowsperstrip=9), 0.5),
        "truncated|damaged",
    ),
    "truncated pages": (cut(FIVE_PAGES, 0.7), "truncated after page"),
    "TIFF that is only a header": (b"II*\x00\x08\x00\x00\x00", "damaged|full-size"),
    "fewer samples than claimed": (tiff_header(200, 200), "damaged"),
    "truncated PNG": (cut(picture(COLOUR, "PNG"), 0.5), "cut short"),
    "PNG header alone": (picture(COLOUR, "PNG")[:20], "cut short"),
    "truncated JPEG": (cut(picture(COLOUR, "JPEG", quality=95), 0.6), "cut short"),
    "JPEG header alone": (picture(COLOUR, "JPEG")[:30], "ends before its image begins"),
    "CMYK JPEG": (picture(Image.fromarray(COLOUR).convert("CMYK"), "JPEG"), "CMYK"),
    "NaN": (with_nan(), "1 of 1,200 values in channel 2 of 2 are NaN"),
    "infinity": (tiff(np.full((9, 9), np.inf, np.float32)), "NaN or infinite"),
    "pickle in npy": (pickled(), "Python objects"),
    "structured npy": (npy(np.zeros(4, dtype=[("a", "u1")]).reshape(2, 2)), "not image intensities"),
    "complex TIFF": (tiff(GREY.astype(np.complex64)), "not image intensities"),
    "truncated npy": (npy(GREY)[:-5], "cut short"),
    "npy header without end": (b"\x93NUMPY\x01\x00\xff\xff{'descr': '<u2', ", "header is damaged"),
    "npy stack": (npy(np.zeros((20, 30, 40), np.uint8)), "stacks are not supported yet"),
    "negative numbers": (tiff(-GREY.astype(np.int32)), "do not fit 16 bits"),
    "time-lapse of z-stacks": (
        tiff(np.zeros((3, 4, 16, 16), np.uint8), imagej=True, metadata={"axes": "TZYX"}),
        "4 z-slices and 3 time points",
    ),
    "more frames than are taken": (
        tiff(np.zeros((501, 4, 4), np.uint8), photometric="minisblack"),
        "501 time points",
    ),
    "fewer frames than declared": (
        cut(tiff(np.zeros((4, 64, 64), np.uint8), imagej=True, metadata={"axes": "TYX"}), 0.8),
        "truncated",
    ),
    "frames that name pages of nowhere": (
        tiff(np.zeros((2, 16, 16), np.uint8), metadata=None, description=FRAMES_OF_NOWHERE),
        "name pages that it does not hold",
    ),
    "a bomb of frames": (
        tiff(np.zeros((300, 1000, 1000), np.uint8), compression="zlib", photometric="minisblack"),
        "would unpack to",
    ),
    "JPEG 2000 in TIFF": (tiff(GREY, compression="jpeg2000"), "JPEG2000"),
    "XML bomb": (ome(BILLION_LAUGHS), "OME-XML"),
    "OME that names other files": (ome(ELSEWHERE), "other files"),
    "OME that claims billions": (ome(GREEDY), "declares 2000000000 channels"),
    "zip bomb": (tiff(np.zeros((9000, 9000), np.uint8), compression="zlib"), "would unpack to"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_by_name_and_reason(case: str) -> None:
    data, reason = REFUSED[case]
    with pytest.raises(PixelError, match=reason) as caught:
        read_pixels(io.BytesIO(data), "scan_041.tif")
    wrong, fine, do = caught.value.wrong, caught.value.fine, caught.value.do
    assert str(caught.value) == f"scan_041.tif: {wrong}. {fine} {do}"
    assert fine.endswith(".")
    assert do.endswith(".")


@pytest.mark.parametrize(
    "case", ["truncated pages", "huge PNG header", "huge TIFF header", "pickle in npy", "zip bomb"]
)
def test_headers_are_enough_to_refuse_it(case: str) -> None:
    with pytest.raises(PixelError):
        probe(io.BytesIO(REFUSED[case][0]), "scan.tif")


def test_it_says_which_pages_are_fine() -> None:
    with pytest.raises(PixelError) as caught:
        probe(io.BytesIO(cut(FIVE_PAGES, 0.7)), "scan_041.tif")
    assert "is fine" in caught.value.fine or "are fine" in caught.value.fine


def test_limits_are_the_callers() -> None:
    with pytest.raises(PixelError, match="the limit is 0 megapixels"):
        probe(io.BytesIO(tiff(GREY)), "a.tif", max_pixels=100)
    with pytest.raises(PixelError, match=r"the limit is 0\.0 MB"):
        probe(io.BytesIO(tiff(GREY)), "a.tif", max_bytes=100)


def test_a_png_whose_data_outgrow_its_header_is_cut_off() -> None:
    """16-bit colour is inflated here first: data without end must not be followed to their end."""
    head = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(64 * 2**20))), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    with pytest.raises(PixelError, match="cut short or damaged"):
        read_pixels(io.BytesIO(data), "a.png")


def test_refusing_a_file_spends_no_memory() -> None:
    """In a process that may not have more than 1 GB, a header of 20 GB is refused with a sentence."""
    script = (
        "import io, sys\n"
        "from labeling.pixels import PixelError, read_pixels\n"
        "try:\n    read_pixels(io.BytesIO(sys.stdin.buffer.read()), 'a.tif')\n"
        "except PixelError as error:\n    print(error.wrong)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=tiff_header(100_000, 100_000),
        capture_output=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30)),
        check=True,
    )
    assert b"100000 x 100000" in done.stdout


@pytest.mark.parametrize(
    "data",
    [
        tiff(CHANNELS, ome=True, metadata={"axes": "CYX"}),
        tiff(CHANNELS, imagej=True, metadata={"axes": "CYX", "Labels": ["a", "b"]}),
        tiff(CHANNELS, compression="zlib", tile=(32, 32), predictor=True),
        tiff(CHANNELS, ome=True, metadata={"axes": "TYX"}),
        tiff(CHANNELS, imagej=True, metadata={"axes": "ZYX"}),
        tiff(COLOUR, photometric="rgb", compression="jpeg"),
        tiff(COLOUR, photometric="rgb", compression="lzw", bigtiff=True),
        tiff(GREY.astype(np.float32), compression="zstd"),
        picture(COLOUR, "PNG"),
        picture(COLOUR, "JPEG"),
        npy(CHANNELS),
    ],
    ids=[
        "ome",
        "imagej",
        "tiles",
        "ome-series",
        "imagej-series",
        "jpeg-tiff",
        "bigtiff",
        "float",
        "png",
        "jpeg",
        "npy",
    ],
)
def test_no_damage_raises_anything_else(data: bytes) -> None:
    choose = random.Random(len(data))
    outcomes = set()
    for _ in range(150):
        damaged = bytearray(data)
        for _ in range(choose.randint(1, 5)):
            reach = min(400, len(damaged)) if choose.random() < 0.7 else len(damaged)
            damaged[choose.randrange(reach)] = choose.choice((0, 255, choose.randrange(256)))
        if choose.random() < 0.2:
            del damaged[choose.randrange(1, len(damaged)) :]
        try:
            outcomes.add(read_pixels(io.BytesIO(bytes(damaged)), "a").info.format)
        except PixelError as error:
            outcomes.add(error.wrong)
    assert len(outcomes) > 1
