"""Files of several frames: every program's way of writing them gives each frame its own samples."""

import io
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from labeling.pixels import RGB_NAMES, PixelError, probe, read_pixels
from tests.labeling.image_files import COLOUR, RNG, tiff

FRAMES = RNG.integers(0, 65535, (5, 40, 30)).astype(np.uint16)  # (T, Y, X)
FRAMES_CHANNELS = RNG.integers(0, 65535, (4, 2, 40, 30)).astype(np.uint16)  # (T, C, Y, X)
MANY = RNG.integers(0, 255, (9, 20, 16)).astype(np.uint8)
MOVIE = np.stack([COLOUR, 255 - COLOUR, COLOUR[::-1]])  # (T, Y, X, 3)


def ome(axes: str, array: np.ndarray) -> bytes:
    return tiff(array, ome=True, metadata={"axes": axes}, photometric="minisblack")


def imagej(axes: str, array: np.ndarray, **options: Any) -> bytes:
    return tiff(array, imagej=True, metadata={"axes": axes}, **options)


def one_directory(array: np.ndarray) -> bytes:
    """As ImageJ writes large stacks: one directory, then the samples of all planes."""
    return tiff(array, metadata={"axes": "TCYX"}, photometric="minisblack", truncate=True)


def written_channel_by_channel() -> bytes:
    """OME-TIFF whose frames vary fastest, without a word about single pages."""
    xml = (
        '<OME><Image><Pixels DimensionOrder="XYTCZ" Type="uint16" SizeX="30" SizeY="40" SizeC="2" SizeZ="1" SizeT="4">'
        "<TiffData/></Pixels></Image></OME>"
    )
    return tiff(FRAMES_CHANNELS.swapaxes(0, 1), metadata=None, description=xml, photometric="minisblack")


def with_pages_named() -> bytes:
    """OME-TIFF that names the page of each plane, last first."""
    planes = [(t, c) for t in range(4) for c in range(2)]
    blocks = "".join(
        f'<TiffData FirstT="{t}" FirstC="{c}" IFD="{7 - n}"/>' for n, (t, c) in enumerate(planes)
    )
    xml = (
        '<OME><Image><Pixels DimensionOrder="XYCZT" Type="uint16" SizeX="30" SizeY="40" SizeC="2" SizeZ="1" SizeT="4">'
        f"{blocks}</Pixels></Image></OME>"
    )
    pages = FRAMES_CHANNELS.reshape(8, 40, 30)[::-1]
    return tiff(pages, metadata=None, description=xml, photometric="minisblack")


CASES: dict[str, tuple[bytes, str, NDArray[Any]]] = {  # file, axis, (T, C, Y, X)
    "OME time-lapse": (ome("TYX", FRAMES), "t", FRAMES[:, None]),
    "OME z-stack": (ome("ZYX", FRAMES), "z", FRAMES[:, None]),
    "OME with channels": (ome("TCYX", FRAMES_CHANNELS), "t", FRAMES_CHANNELS),
    "OME, channels slowest": (ome("CTYX", FRAMES_CHANNELS.swapaxes(0, 1)), "t", FRAMES_CHANNELS),
    "OME, channels slowest, pages not named": (written_channel_by_channel(), "t", FRAMES_CHANNELS),
    "OME, pages named": (with_pages_named(), "t", FRAMES_CHANNELS),
    "ImageJ time-lapse": (imagej("TYX", FRAMES), "t", FRAMES[:, None]),
    "ImageJ z-stack": (imagej("ZYX", FRAMES), "z", FRAMES[:, None]),
    "ImageJ hyperstack": (imagej("TCYX", FRAMES_CHANNELS), "t", FRAMES_CHANNELS),
    "ImageJ compressed": (imagej("TYX", FRAMES, compression="zlib"), "t", FRAMES[:, None]),
    "tifffile's own": (tiff(FRAMES, metadata={"axes": "ZYX"}), "z", FRAMES[:, None]),
    "tifffile's own, channels slowest": (
        tiff(FRAMES_CHANNELS.swapaxes(0, 1), metadata={"axes": "CTYX"}, photometric="minisblack"),
        "t",
        FRAMES_CHANNELS,
    ),
    "one directory": (one_directory(FRAMES_CHANNELS), "t", FRAMES_CHANNELS),
    "many pages that say nothing": (tiff(MANY, photometric="minisblack", metadata=None), "t", MANY[:, None]),
    "pages of colour": (tiff(MOVIE, photometric="rgb"), "t", np.moveaxis(MOVIE, -1, 1)),
}


@pytest.mark.parametrize("case", CASES)
def test_each_frame_has_its_own_samples(case: str):
    data, axis, expected = CASES[case]
    info = probe(io.BytesIO(data), "movie.tif")
    assert (info.frames, info.axis) == (len(expected), axis)
    for frame, wanted in enumerate(expected):
        pixels = read_pixels(io.BytesIO(data), "movie.tif", frame=frame)
        assert np.array_equal(pixels.array, wanted)
        assert pixels.info == info


def test_the_one_directory_is_one():
    with tifffile.TiffFile(io.BytesIO(CASES["one directory"][0])) as tiff_file:
        assert len(tiff_file.pages) == 1


def test_a_single_image_is_one_frame_along_nothing():
    info = probe(io.BytesIO(tiff(FRAMES[0])), "a.tif")
    assert (info.frames, info.axis) == (1, None)


def test_it_says_what_it_made_of_pages_that_say_nothing():
    info = probe(io.BytesIO(CASES["many pages that say nothing"][0]), "a.tif")
    assert info.notes == ("It does not say what its 9 pages are; they are taken as time points.",)


def test_frames_of_colour_are_colour():
    info = probe(io.BytesIO(CASES["pages of colour"][0]), "a.tif")
    assert info.channel_names == RGB_NAMES


def test_plane_labels_of_an_imagej_series_do_not_name_its_channels():
    labels = [f"plane {n}" for n in range(8)]
    data = tiff(FRAMES_CHANNELS, imagej=True, metadata={"axes": "TCYX", "Labels": labels})
    assert probe(io.BytesIO(data), "a.tif").channel_names == ("Channel 1", "Channel 2")


@pytest.mark.parametrize("frame", [-1, 5])
def test_a_frame_that_is_not_there_is_refused(frame: int):
    with pytest.raises(PixelError, match="it has no frame"):
        read_pixels(io.BytesIO(CASES["OME time-lapse"][0]), "movie.tif", frame=frame)


def test_every_page_is_checked_before_a_frame_is_read():
    """A file that was cut in its last frame is refused at the upload, not after a day of labelling the first ones."""
    data = CASES["ImageJ compressed"][0]
    with pytest.raises(PixelError, match="declares 5 time points and holds 3 planes"):
        probe(io.BytesIO(data[: len(data) // 2]), "movie.tif")
