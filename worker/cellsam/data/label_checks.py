"""Labels that nothing can be learned from: those in several pieces, and those one pixel wide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import measure

from worker.cellsam.data.labelled import Labels

NARROWEST_PX = 2  # side of a label's bounding box; COCO's boxes of less are degenerate in most readers

IN_PIECES = "in_pieces"
ONE_PIXEL_WIDE = "one_pixel_wide"


def usable_labels(labels_hw: Labels) -> tuple[Labels, Counter[str]]:
    """The labels of one 8-connected piece that is at least 2 pixels wide and high, numbered 1..n in their order, and
    how many were dropped for which reason. Values under 1 are background.
    """
    values, consecutive = np.unique(np.where(labels_hw > 0, labels_hw, 0), return_inverse=True)
    labels = consecutive.reshape(labels_hw.shape).astype(np.int32)
    if values[0] != 0:  # no background at all
        labels += 1
    count = int(labels.max(initial=0))
    pieces = _pieces(labels, count)
    narrow = _narrow(labels, count) & (pieces == 1)
    kept = (pieces == 1) & ~narrow
    numbers = np.concatenate(([0], np.where(kept, np.cumsum(kept), 0))).astype(np.int32)
    dropped = Counter({IN_PIECES: int((pieces > 1).sum()), ONE_PIXEL_WIDE: int(narrow.sum())})
    return numbers[labels], +dropped


def _pieces(labels: Labels, count: int) -> NDArray[np.int64]:
    """(count,) 8-connected pieces of each label 1..count."""
    connected: Callable[..., NDArray[np.int32]] = measure.label  # neighbours of other values are other pieces
    pieces, first = np.unique(connected(labels, background=0, connectivity=2), return_index=True)
    owners = labels.ravel()[first[pieces > 0]]
    return np.bincount(owners, minlength=count + 1)[1:]


def _narrow(labels: Labels, count: int) -> NDArray[np.bool_]:
    """(count,) whether a label 1..count fits into one row or one column."""
    windows = ndimage.find_objects(labels, count)
    sides = [min(part.stop - part.start for part in window) for window in windows if window is not None]
    return np.asarray(sides, dtype=int) < NARROWEST_PX
