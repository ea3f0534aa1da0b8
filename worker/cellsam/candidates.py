"""Decoded cells of single tiles, and what two of them have to do with each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from worker.cellsam.cleanup import clean
from worker.cellsam.preprocess import Window

T = TypeVar("T", bound=np.generic)
Mask = NDArray[np.bool_]

SAME_CELL = 0.5  # share of the smaller mask, where both tiles look, that two masks of one cell have in common


@dataclass(frozen=True, slots=True)
class Candidate:
    """A decoded cell: its cleaned mask and logits inside `window` of the image."""

    box_xyxy_px: NDArray[np.float32]  # (4,) CellFinder's
    score: float
    iou: float  # the mask decoder's own estimate
    tile: int
    tile_window: Window
    cut: bool  # reaches an edge of its tile behind which the image goes on
    window: Window
    mask: Mask
    logits: NDArray[np.float32]
    admitted_below: float = np.inf  # the box threshold in the configuration below which it is a cell
    level: int = 0  # of its tile
    region_px: int = 0  # how it was cleaned, and what is left of it will be: see `Thresholds`

    @property
    def area(self) -> int:
        return int(np.count_nonzero(self.mask))

    def cropped(self) -> Candidate:
        """The same in the smallest window that holds its mask (not empty), without the logits beside it."""
        rows, columns = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        place = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        x, y = self.window[0] + int(columns[0]), self.window[1] + int(rows[0])
        mask = self.mask[place].copy()
        return replace(
            self,
            window=(x, y, x + mask.shape[1], y + mask.shape[0]),
            mask=mask,
            logits=np.where(mask, self.logits[place], np.float32(-np.inf)),
        )


def lies_in(finer: Candidate, coarse: Candidate) -> bool:
    """Whether most of a candidate of a finer level lies in a coarse one."""
    return bool(np.count_nonzero(within(coarse, finer.window) & finer.mask) > SAME_CELL * finer.area)


def covered(coarse: Candidate, finer: Sequence[Candidate]) -> float:
    """The share of a coarse candidate's pixels that finer ones cover."""
    pixels = np.zeros_like(coarse.mask)
    for candidate in finer:
        pixels |= within(candidate, coarse.window)
    return float(np.count_nonzero(pixels & coarse.mask)) / max(1, coarse.area)


def same_cell(a: Candidate, b: Candidate) -> bool:
    """Whether two candidates of different tiles agree about the pixels that both tiles show."""
    if a.tile == b.tile:
        return False
    shared = intersection(a.tile_window, b.tile_window)
    if shared is None:
        return False
    mine, theirs = within(a, shared), within(b, shared)
    smaller = min(np.count_nonzero(mine), np.count_nonzero(theirs))
    return bool(smaller and np.count_nonzero(mine & theirs) > SAME_CELL * smaller)


def union(a: Candidate, b: Candidate) -> Candidate:
    window = _hull(a.window, b.window)
    mask = clean(within(a, window) | within(b, window), a.region_px)
    logits = np.maximum(logits_within(a, window), logits_within(b, window))
    # Pixels that only the cleaning added have no logit: they yield to any other cell.
    logits = np.where(mask & np.isneginf(logits), np.float32(0), logits)
    box = np.concatenate(
        [np.minimum(a.box_xyxy_px[:2], b.box_xyxy_px[:2]), np.maximum(a.box_xyxy_px[2:], b.box_xyxy_px[2:])]
    )
    return Candidate(
        box_xyxy_px=box,
        score=max(a.score, b.score),
        iou=max(a.iou, b.iou),
        tile=b.tile,
        tile_window=_hull(a.tile_window, b.tile_window),
        cut=True,
        window=window,
        mask=mask,
        logits=logits,
        admitted_below=max(a.admitted_below, b.admitted_below),
        level=b.level,
        region_px=a.region_px,
    )


def within(candidate: Candidate, window: Window) -> Mask:
    """The candidate's mask on the pixels of another window."""
    return _moved(candidate.mask, candidate.window, window, False)


def logits_within(candidate: Candidate, window: Window) -> NDArray[np.float32]:
    return _moved(candidate.logits, candidate.window, window, -np.inf)


def _moved(values: NDArray[T], source: Window, target: Window, fill: float | bool) -> NDArray[T]:
    moved = np.full((target[3] - target[1], target[2] - target[0]), fill, dtype=values.dtype)
    shared = intersection(source, target)
    if shared is not None:
        x0, y0, x1, y1 = shared
        moved[y0 - target[1] : y1 - target[1], x0 - target[0] : x1 - target[0]] = values[
            y0 - source[1] : y1 - source[1], x0 - source[0] : x1 - source[0]
        ]
    return moved


def intersection(a: Window, b: Window) -> Window | None:
    window = (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))
    return window if window[0] < window[2] and window[1] < window[3] else None


def _hull(a: Window, b: Window) -> Window:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
