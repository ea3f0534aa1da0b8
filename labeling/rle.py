"""Binary masks as run lengths inside a half-open pixel box.

One form on every wire and in every table of CellLoop: runs are counted row-major inside the box
``[x0, y0, x1, y1)``, background first (the first run is 0 if the first pixel is set). COCO's column-major
form is made in its format module and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]
LabelMap = NDArray[np.integer]


class RleError(ValueError):
    """The runs do not describe a mask of the given box."""


def encode(mask_hw: Mask) -> list[int]:
    """Run lengths of a (H, W) bool mask, row-major, background first. An empty mask gives one run."""
    flat = np.ascontiguousarray(mask_hw, dtype=bool).ravel()
    if flat.size == 0:
        return []
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate(([0], changes, [flat.size]))
    runs: list[int] = np.diff(bounds).tolist()
    return [0, *runs] if flat[0] else runs


def decode(runs: Sequence[int], height: int, width: int) -> Mask:
    """The (H, W) bool mask of ``runs``.

    Raises RleError if a run is negative, a run other than the first is 0, or the runs do not add up to H*W.
    """
    lengths = np.asarray(runs, dtype=np.int64)
    if lengths.size and (lengths.min() < 0 or (lengths[1:] == 0).any()):
        raise RleError("runs must be positive; only the first may be 0")
    if int(lengths.sum()) != height * width:
        raise RleError(f"runs add up to {int(lengths.sum())} pixels, the box has {height * width}")
    values = np.zeros(lengths.size, dtype=bool)
    values[1::2] = True
    return np.repeat(values, lengths).reshape(height, width)


@dataclass(frozen=True, slots=True)
class BoxMask:
    """One cell's pixels: runs inside a tight half-open box (x0, y0, x1, y1) in image pixels."""

    box: tuple[int, int, int, int]
    rle: tuple[int, ...]

    @classmethod
    def from_mask(cls, mask_hw: Mask, *, x: int = 0, y: int = 0) -> BoxMask | None:
        """The tight box mask of ``mask_hw``, whose pixel (0, 0) lies at image pixel (x, y). None if it is empty."""
        rows = np.flatnonzero(mask_hw.any(axis=1))
        if rows.size == 0:
            return None
        columns = np.flatnonzero(mask_hw.any(axis=0))
        top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        tight = mask_hw[top:bottom, left:right]
        box = (int(x + left), int(y + top), int(x + right), int(y + bottom))
        return cls(box=box, rle=tuple(encode(tight)))

    @property
    def width(self) -> int:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1]

    @property
    def area(self) -> int:
        """Number of set pixels."""
        return sum(self.rle[1::2])

    def mask(self) -> Mask:
        """(height, width) bool, the pixels inside the box."""
        return decode(self.rle, self.height, self.width)

    def intersection(self, other: BoxMask) -> int:
        """Number of pixels that both masks set. Costs the shared box only."""
        x0, y0 = max(self.box[0], other.box[0]), max(self.box[1], other.box[1])
        x1, y1 = min(self.box[2], other.box[2]), min(self.box[3], other.box[3])
        if x0 >= x1 or y0 >= y1:
            return 0
        mine = self.mask()[y0 - self.box[1] : y1 - self.box[1], x0 - self.box[0] : x1 - self.box[0]]
        theirs = other.mask()[y0 - other.box[1] : y1 - other.box[1], x0 - other.box[0] : x1 - other.box[0]]
        return int(np.count_nonzero(mine & theirs))

    def iou(self, other: BoxMask) -> float:
        """Intersection over union of the two pixel sets, in [0, 1]."""
        shared = self.intersection(other)
        return shared / (self.area + other.area - shared)

    def paint(self, labels_hw: LabelMap, value: int) -> None:
        """Set this mask's pixels in a (H, W) label map to ``value``, in place; what lies outside is cut off."""
        x0, y0, x1, y1 = self.box
        left, top = max(x0, 0), max(y0, 0)
        right, bottom = min(x1, labels_hw.shape[1]), min(y1, labels_hw.shape[0])
        if left >= right or top >= bottom:
            return
        window = labels_hw[top:bottom, left:right]
        window[self.mask()[top - y0 : bottom - y0, left - x0 : right - x0]] = value


def masks_of_labels(labels_hw: LabelMap) -> Iterator[tuple[int, BoxMask]]:
    """(label, mask) of each label > 0 in a (H, W) label map, in the order of the labels."""
    for index, window in enumerate(ndimage.find_objects(labels_hw), start=1):
        if window is None:
            continue
        rows, columns = window
        mask = BoxMask.from_mask(labels_hw[window] == index, x=columns.start, y=rows.start)
        if mask is not None:
            yield index, mask
