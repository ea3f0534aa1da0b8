"""Pixels in windows are the pixels of the whole, and so is what they are normalised to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.pixels import PixelError, read_pixels
from labeling.pyramid import write_pyramid
from worker.cellsam.channels import ImageError, Intensity, equalised, model_image
from worker.cellsam.order_statistics import percentiles
from worker.cellsam.preprocess import Window
from worker.cellsam.sources import ArraySource, PyramidSource, open_source, windows

RANDOM = np.random.default_rng(0)
GRAY = RANDOM.gamma(2, 4000, (300, 410)).clip(0, 65535).astype(np.uint16)
RGB = RANDOM.integers(0, 255, (300, 410, 3)).astype(np.uint8)
CHANNELS = np.stack([GRAY, GRAY // 2, GRAY // 3])
SOME: list[Window] = [(0, 0, 410, 300), (37, 41, 200, 190), (409, 299, 410, 300)]

TIFFS: dict[str, tuple[Any, dict[str, Any]]] = {
    "as it is": (GRAY, {}),
    "big-endian": (GRAY, {"byteorder": ">"}),
    "tiles": (GRAY, {"tile": (64, 128), "compression": "zlib"}),
    "strips": (GRAY, {"rowsperstrip": 17, "compression": "lzw", "predictor": True}),
    "pages": (CHANNELS, {"photometric": "minisblack", "tile": (64, 64), "compression": "zlib"}),
    "ImageJ": (CHANNELS[:2], {"imagej": True, "metadata": {"axes": "CYX"}}),
    "RGB": (RGB, {"photometric": "rgb", "tile": (64, 64), "compression": "jpeg"}),
    "RGB planes": (
        np.moveaxis(RGB, -1, 0),
        {"photometric": "rgb", "planarconfig": "separate", "tile": (64, 64), "compression": "zlib"},
    ),
    "alpha": (np.dstack([RGB, RGB[..., 0]]), {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
    "0 is white": (GRAY, {"photometric": "miniswhite", "compression": "zlib"}),
}


@pytest.mark.parametrize("kind", TIFFS)
def test_a_window_of_a_tiff_is_that_of_its_pixels(tmp_path: Path, kind: str) -> None:
    array, how = TIFFS[kind]
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, array, **how)
    with path.open("rb") as file:
        whole = np.moveaxis(read_pixels(file, path.name).array, 0, -1)

    source = open_source(path)

    assert (source.height, source.width, source.channels) == whole.shape
    for x0, y0, x1, y1 in SOME:
        assert np.array_equal(source.read((x0, y0, x1, y1)), whole[y0:y1, x0:x1])


def test_pyramids_and_npy_files_are_read_in_windows_too(tmp_path: Path) -> None:
    write_pyramid(CHANNELS, tmp_path / "pyramid.tif")
    np.save(tmp_path / "planes.npy", CHANNELS)
    np.save(tmp_path / "gray.npy", GRAY)

    pyramid = PyramidSource(tmp_path / "pyramid.tif", [2, 0], height=300, width=410)
    planes, gray = open_source(tmp_path / "planes.npy"), open_source(tmp_path / "gray.npy")

    assert isinstance(gray, ArraySource)
    assert isinstance(gray.array, np.memmap)
    for x0, y0, x1, y1 in SOME:
        window = CHANNELS[:, y0:y1, x0:x1]
        assert np.array_equal(pyramid.read((x0, y0, x1, y1)), np.moveaxis(window[[2, 0]], 0, -1))
        assert np.array_equal(planes.read((x0, y0, x1, y1)), np.moveaxis(window, 0, -1))
        assert np.array_equal(gray.read((x0, y0, x1, y1))[..., 0], window[0])


def test_a_series_and_a_damaged_block_are_refused_with_the_reason(tmp_path: Path) -> None:
    series, damaged = tmp_path / "series.tif", tmp_path / "damaged.tif"
    tifffile.imwrite(series, np.stack([GRAY] * 9), photometric="minisblack")
    tifffile.imwrite(damaged, GRAY, tile=(64, 64), compression="zlib", metadata=None)
    with tifffile.TiffFile(damaged) as tiff:
        first = tiff.pages[0].dataoffsets[0]
    data = bytearray(damaged.read_bytes())
    data[first : first + 40] = b"\xff" * 40
    damaged.write_bytes(bytes(data))

    with pytest.raises(PixelError, match="9 frames"):
        open_source(series)
    source = open_source(damaged)
    assert source.read((200, 200, 210, 210)).shape == (10, 10, 1)
    with pytest.raises(PixelError, match="damaged"):
        source.read((0, 0, 10, 10))


def test_windows_cover_an_image_once() -> None:
    seen = np.zeros((300, 410), dtype=int)
    for x0, y0, x1, y1 in windows(300, 410, 128):
        seen[y0:y1, x0:x1] += 1
    assert (seen == 1).all()


@given(
    count=st.integers(1, 300),
    dtype=st.sampled_from(["uint8", "uint16", "float32", "float64"]),
    share=st.floats(0, 100),
    seed=st.integers(0, 99),
)
@settings(max_examples=150, deadline=None)
def test_percentiles_of_parts_are_those_of_the_whole(count: int, dtype: str, share: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    wide = random.normal(0, 1, count) * 10.0 ** random.integers(-20, 20, count)
    values = (wide if dtype.startswith("f") else random.integers(0, 256, count) // 7 * 30).astype(dtype)
    whole = values.astype(np.float32) if values.dtype.kind == "u" else values

    found = percentiles(lambda: [values[: count // 3], values[count // 3 :]], values.dtype, [share, 99.8])

    assert found == [float(value) for value in np.percentile(whole, [share, 99.8])]


@pytest.mark.parametrize(
    ("image", "intensity", "enhance"),
    [
        (GRAY.astype(np.float32) * 1e33, "percentiles", False),
        (GRAY, "clipped_clahe", False),
        (RGB, "percentiles", False),
        (RGB, "clahe", False),
        (np.moveaxis(CHANNELS[:2], 0, -1), "percentiles", True),
    ],
)
def test_a_window_of_a_normalised_image_is_the_image_normalised_and_cut(
    image: np.ndarray, intensity: Intensity, enhance: bool
) -> None:
    made = model_image(image, colour=True, intensity=intensity, enhance=enhance)
    whole = made.read(made.whole)

    assert whole.max() == 1
    for x0, y0, x1, y1 in [*SOME, (130, 257, 390, 300)]:
        assert np.array_equal(made.read((x0, y0, x1, y1)), whole[:, y0:y1, x0:x1])


def test_equalisation_by_windows_is_that_of_scikit_image() -> None:
    made = model_image(GRAY, intensity="clahe")
    assert np.array_equal(made.read(made.whole)[2], equalised(GRAY))


def test_enhancement_brings_out_what_is_faint() -> None:
    image = np.full((256, 256), 60000, dtype=np.uint16)
    image[:, :200] = RANDOM.integers(0, 3000, (256, 200))

    plain, enhanced = (
        model_image(image, enhance=enhance).read((0, 0, 100, 256)) for enhance in (False, True)
    )

    assert np.ptp(enhanced[2]) > 2 * np.ptp(plain[2])


def test_a_source_that_holds_no_numbers_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "nan.npy", np.full((4, 4), np.nan))
    with pytest.raises(ImageError, match="NaN"):
        model_image(ArraySource(np.load(tmp_path / "nan.npy", mmap_mode="r")))
