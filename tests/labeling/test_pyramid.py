"""The pyramid: tiles are the image's own samples, levels are means, and any TIFF reader can open it."""

import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from labeling import pyramid
from labeling.pyramid import (
    Tile,
    TileNotFound,
    halve,
    levels,
    read_full,
    read_region,
    read_tile,
    write_pyramid,
)

IMAGES: dict[str, NDArray[Any]] = {
    "two channels, odd sides": np.random.default_rng(0).integers(0, 65535, (2, 701, 1301)).astype(np.uint16),
    "8-bit RGB": np.random.default_rng(1).integers(0, 255, (3, 520, 300)).astype(np.uint8),
    "exactly one tile": np.random.default_rng(2).integers(0, 4095, (1, 512, 512)).astype(np.uint16),
    "smaller than a tile": np.random.default_rng(3).integers(0, 4095, (1, 40, 60)).astype(np.uint16),
    "one pixel high": np.random.default_rng(4).integers(0, 255, (1, 1, 1500)).astype(np.uint8),
    "black": np.zeros((1, 600, 600), np.uint16),
}


def samples(tile: Tile) -> np.ndarray:
    return np.frombuffer(zlib.decompress(tile.zlib_bytes), np.dtype(tile.dtype).newbyteorder("<")).reshape(
        tile.height, tile.width
    )


@pytest.mark.parametrize("name", IMAGES)
def test_it_works(name: str) -> None:
    image = IMAGES[name]
    file = io.BytesIO()
    write_pyramid(image, file)
    assert np.array_equal(read_full(file), image)
    for channel, plane in enumerate(image):
        for number, level in enumerate(levels(*plane.shape)):
            assert plane.shape == (level.height, level.width)
            put_together = np.block(
                [
                    [
                        samples(read_tile(file, channel, number, row, column))
                        for column in range(level.columns)
                    ]
                    for row in range(level.rows)
                ]
            )
            assert np.array_equal(put_together, plane)
            assert put_together.dtype == plane.dtype
            plane = halve(plane)


def test_other_readers_see_a_pyramid(tmp_path: Path) -> None:
    image = IMAGES["two channels, odd sides"]
    write_pyramid(image, tmp_path / "image.tif")
    assert np.array_equal(tifffile.imread(tmp_path / "image.tif", series=0), image)
    with tifffile.TiffFile(tmp_path / "image.tif") as tiff:
        shapes = [page.shape for page in tiff.pages.first.pages or ()]
        assert shapes == [(351, 651), (176, 326)]
        assert tiff.pages.first.is_tiled


@pytest.mark.parametrize(
    "box",
    [(0, 0, 1301, 701), (500, 500, 530, 520), (-7, -3, 20, 30), (1290, 690, 1400, 720), (2000, 0, 2010, 10)],
)
def test_a_region_is_a_window_on_the_image(box: Any, tmp_path: Path) -> None:
    image = IMAGES["two channels, odd sides"]
    write_pyramid(image, tmp_path / "image.tif")
    x0, y0, x1, y1 = box
    padded = np.pad(image, ((0, 0), (10, 100), (10, 1000)))
    assert np.array_equal(
        read_region(tmp_path / "image.tif", box), padded[:, y0 + 10 : y1 + 10, x0 + 10 : x1 + 10]
    )


def test_a_region_of_some_channels_decodes_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    image, unpack = IMAGES["8-bit RGB"], pyramid._unpack
    file = io.BytesIO()
    write_pyramid(image, file)
    decoded = 0

    def counted(packed: bytes, dtype: np.dtype[Any]) -> pyramid.Plane:
        nonlocal decoded
        decoded += 1
        return unpack(packed, dtype)

    monkeypatch.setattr(pyramid, "_unpack", counted)
    assert np.array_equal(read_region(file, (3, 5, 100, 200), channels=[2, 0]), image[[2, 0], 5:200, 3:100])
    assert decoded == 2
    with pytest.raises(TileNotFound):
        read_region(file, (3, 5, 100, 200), channels=[3])


def test_a_region_of_a_smaller_level() -> None:
    file = io.BytesIO()
    write_pyramid(IMAGES["8-bit RGB"], file)
    smaller = np.stack([halve(plane) for plane in IMAGES["8-bit RGB"]])
    assert np.array_equal(read_region(file, (3, 5, 100, 200), level=1), smaller[:, 5:200, 3:100])


def test_levels_halve_until_one_tile_holds_them() -> None:
    assert [(level.height, level.width) for level in levels(1025, 300)] == [
        (1025, 300),
        (513, 150),
        (257, 75),
    ]
    assert len(levels(512, 512)) == 1
    assert (levels(1025, 300)[0].rows, levels(1025, 300)[0].columns) == (3, 1)


def test_halving_takes_the_rounded_mean_without_overflow() -> None:
    assert halve(np.array([[0, 1], [1, 1]], np.uint8)).tolist() == [[1]]
    assert halve(np.full((4, 4), 65535, np.uint16)).tolist() == [[65535, 65535]] * 2
    assert halve(np.array([[10, 20, 30]], np.uint8)).tolist() == [[15, 30]]


@pytest.mark.parametrize(
    "place", [(2, 0, 0, 0), (0, 3, 0, 0), (0, 0, 2, 0), (0, 0, 0, 3), (0, 0, -1, 0), (-1, 0, 0, 0)]
)
def test_it_rejects_a_tile_that_is_not_there(place: Any) -> None:
    file = io.BytesIO()
    write_pyramid(IMAGES["two channels, odd sides"], file)
    with pytest.raises(TileNotFound):
        read_tile(file, *place)


@pytest.mark.parametrize(
    "array", [np.zeros((5, 5), np.uint8), np.zeros((1, 5, 5), np.float32), np.zeros((1, 0, 5), np.uint8)]
)
def test_it_rejects_what_is_no_image(array: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="pyramid"):
        write_pyramid(array, io.BytesIO())
