"""Label TIFF: one page of integers, 0 for background, each cell's pixels set to its label.

uint16, or uint32 if a label is past 65535; zlib, axes YX; never resampled, never re-numbered. A pixel holds one label,
so where cells overlap the topmost is kept and the report says what was lost.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile, TiffFileError, TiffPage, imwrite

from labeling.formats.label_set import MAX_PIXELS, FormatError, LabelledCell, LabelSet, Written
from labeling.pixels.samples import DECODER_ERRORS
from labeling.rle import BoxMask, masks_of_labels

_HIGHEST_UINT16 = 65535
_HIGHEST_UINT32 = 2**32 - 1


def write(labels: LabelSet) -> Written:
    """The label image. Raises FormatError for a label outside 1..2**32 - 1."""
    highest = max((cell.label for cell in labels.cells), default=0)
    if highest > _HIGHEST_UINT32 or min((cell.label for cell in labels.cells), default=1) < 1:
        raise FormatError("labels must be between 1 and 4294967295")
    image = np.zeros(
        (labels.height, labels.width), dtype=np.uint16 if highest <= _HIGHEST_UINT16 else np.uint32
    )
    for cell in labels.cells:
        cell.mask.paint(image, cell.label)
    out = io.BytesIO()
    imwrite(
        out,
        image,
        photometric="minisblack",
        compression="zlib",
        rowsperstrip=max(1, min(labels.height, 2**20 // max(1, labels.width * image.itemsize))),
        metadata={"axes": "YX"},
        maxworkers=1,
    )
    return Written(out.getvalue(), _report(labels, image))


def read(data: bytes) -> LabelSet:
    """Cells of a label image: any integer type, or floats that are whole numbers. Raises FormatError."""
    try:
        with TiffFile(
            io.BytesIO(data), is_lsm=False, is_scanimage=False, is_ndpi=False, is_stk=False
        ) as tiff:
            image = _label_image(tiff)
    except FormatError:
        raise
    except (TiffFileError, *DECODER_ERRORS) as error:
        raise FormatError("this is not a TIFF file, or it is damaged") from error
    cells = tuple(LabelledCell(label=label, mask=mask) for label, mask in _masks(image))
    return LabelSet(height=image.shape[0], width=image.shape[1], cells=cells)


def _label_image(tiff: TiffFile) -> NDArray[np.int64]:
    page = tiff.pages[0]
    if (
        len(tiff.pages) != 1
        or not isinstance(page, TiffPage)
        or page.samplesperpixel != 1
        or page.imagedepth != 1
    ):
        raise FormatError("a label image has one page and one value a pixel")
    if page.imagelength * page.imagewidth > MAX_PIXELS or (
        page.is_tiled and page.tilelength * page.tilewidth > MAX_PIXELS
    ):
        raise FormatError(f"{page.imagewidth} x {page.imagelength} pixels are more than can be read")
    image = page.asarray(maxworkers=1)
    if image.dtype.kind == "f" and not (np.isfinite(image).all() and (image == np.rint(image)).all()):
        raise FormatError("labels must be whole numbers, this image has fractions")
    if image.dtype.kind not in "buif":
        raise FormatError(f"{image.dtype.name} values are no labels")
    if image.size == 0 or image.min() < 0 or image.max() > _HIGHEST_UINT32:
        raise FormatError("labels must be between 0 and 4294967295")
    return np.asarray(image, dtype=np.int64)


def _masks(image_hw: NDArray[np.int64]) -> list[tuple[int, BoxMask]]:
    if image_hw.max() <= _HIGHEST_UINT16:
        return list(masks_of_labels(image_hw))
    # The masks are found through a table with a place for each label up to the highest: make that the count of labels.
    values, dense = np.unique(image_hw, return_inverse=True)
    shift = 0 if values[0] == 0 else 1
    dense_hw = dense.reshape(image_hw.shape) + shift
    return [(int(values[place - shift]), mask) for place, mask in masks_of_labels(dense_hw)]


def _report(labels: LabelSet, image_hw: NDArray[np.integer]) -> tuple[str, ...]:
    drawn = np.unique(image_hw, return_counts=True)
    kept = dict(zip(drawn[0].tolist(), drawn[1].tolist(), strict=True))
    lost = {cell.label: cell.mask.area - kept.get(cell.label, 0) for cell in labels.cells}
    hidden = [label for label in lost if label not in kept]
    cut = [label for label, pixels in lost.items() if pixels and label in kept]
    report = []
    if cut:
        pixels = sum(lost[label] for label in cut)
        why = "a label image holds one cell a pixel"
        report.append(f"{_cells(len(cut))} lost {pixels} pixels to cells on top: {why}. {_listed(cut)}")
    if hidden:
        report.append(f"{_cells(len(hidden))} hidden under others, not in the file. {_listed(hidden)}")
    return (*report, *_words_left_out(labels))


def _words_left_out(labels: LabelSet) -> list[str]:
    """A label image is numbers alone."""
    classed = sum(1 for cell in labels.cells if cell.class_name)
    notes = len(labels.notes) + sum(len(cell.notes) for cell in labels.cells)
    report = [f"The classes of {_cells(classed)} are not in the file."] if classed else []
    if notes:
        report.append(f"{notes} {'note is' if notes == 1 else 'notes are'} not in the file.")
    return report


def _cells(count: int) -> str:
    return f"{count} cell" if count == 1 else f"{count} cells"


def _listed(labels: list[int]) -> str:
    shown = ", ".join(str(label) for label in sorted(labels)[:20])
    return f"Labels: {shown}{' and more' if len(labels) > 20 else ''}."
