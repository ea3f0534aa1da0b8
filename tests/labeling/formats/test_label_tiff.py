"""Label TIFF as other programs see it, and what it cannot carry."""

import io
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from labeling.formats import FormatError, LabelledCell, LabelSet
from labeling.formats.label_tiff import read, write
from labeling.rle import BoxMask


def square(label: int, x: int, y: int, side: int = 10) -> LabelledCell:
    return LabelledCell(label=label, mask=BoxMask((x, y, x + side, y + side), (0, side * side)))


def opened(data: bytes) -> tifffile.TiffPage:
    page = tifffile.TiffFile(io.BytesIO(data)).pages[0]
    assert isinstance(page, tifffile.TiffPage)
    return page


def test_it_is_one_zlib_page_of_uint16_with_axes_yx() -> None:
    data = write(LabelSet(height=40, width=70, cells=(square(5, 0, 0), square(65535, 20, 20)))).data
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        assert len(tiff.pages) == 1
        assert tiff.series[0].axes == "YX"
    page = opened(data)
    assert (str(page.dtype), int(page.compression), page.shape) == ("uint16", 8, (40, 70))  # 8: zlib
    image = page.asarray()
    assert (image[5, 5], image[25, 25], image[35, 5]) == (5, 65535, 0)


def test_past_65535_it_is_uint32() -> None:
    data = write(
        LabelSet(height=40, width=70, cells=(square(65536, 0, 0), square(4_000_000_000, 20, 20)))
    ).data
    assert opened(data).dtype == np.uint32
    assert [cell.label for cell in read(data).cells] == [65536, 4_000_000_000]


def test_the_topmost_cell_keeps_the_pixels_and_the_report_says_so() -> None:
    cells = (square(1, 0, 0), square(2, 5, 0), square(3, 40, 0, side=3), square(4, 39, 0, side=8))
    written = write(LabelSet(height=40, width=70, cells=cells))
    assert opened(written.data).asarray()[0, [4, 5]].tolist() == [1, 2]
    assert written.report == (
        "1 cell lost 50 pixels to cells on top: a label image holds one cell a pixel. Labels: 1.",
        "1 cell hidden under others, not in the file. Labels: 3.",
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.float32, np.uint32])
def test_it_reads_labels_of_any_number_type(dtype: Any) -> None:
    image = np.zeros((20, 30), dtype)
    image[3:6, 4:9] = 12
    out = io.BytesIO()
    tifffile.imwrite(out, image)
    assert read(out.getvalue()).cells == (LabelledCell(label=12, mask=BoxMask((4, 3, 9, 6), (0, 15))),)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.full((5, 5), -1, np.int16), "between 0"),
        (np.full((5, 5), 0.5, np.float32), "whole numbers"),
        (np.full((5, 5), np.nan, np.float32), "whole numbers"),
        (np.zeros((3, 5, 5), np.uint16), "one page"),
        (np.zeros((5, 5), np.complex64), "no labels"),
    ],
)
def test_it_rejects_what_are_no_labels(image: NDArray[Any], reason: str) -> None:
    out = io.BytesIO()
    tifffile.imwrite(out, image, photometric="minisblack")
    with pytest.raises(FormatError, match=reason):
        read(out.getvalue())


@pytest.mark.parametrize("label", [0, -3, 2**32])
def test_it_rejects_labels_that_no_tiff_holds(label: int) -> None:
    with pytest.raises(FormatError, match="between 1"):
        write(LabelSet(height=40, width=70, cells=(square(label, 0, 0),)))
