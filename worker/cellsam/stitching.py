"""From decoded cells of many tiles to one label map: fragments on seams joined, overlaps settled, ids consecutive."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from labeling.rle import BoxMask, masks_of_labels
from worker.cellsam.cleanup import clean, clean_label_map, largest_island
from worker.cellsam.preprocess import Window

T = TypeVar("T", bound=np.generic)

SAME_CELL = 0.5  # share of the smaller mask, where both tiles look, that two masks of one cell have in common
MIN_CELL_PX = 6
MIN_PAINTED_PX = 25  # the released model's
MIN_VISIBLE = 0.4  # of a mask that other cells leave; less is a second answer for the same cell


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
    mask: NDArray[np.bool_]
    logits: NDArray[np.float32]

    @property
    def area(self) -> int:
        return int(np.count_nonzero(self.mask))


@dataclass(frozen=True, slots=True)
class Segmentation:
    """All cells of an image; row i of everything is label i + 1. No cells: an empty label map and empty rows."""

    labels: NDArray[np.int32]  # (H, W), 0 background, 1..n consecutive
    boxes: NDArray[np.float32]  # (n, 4) x0, y0, x1, y1 in image pixels, as CellFinder gave them
    scores: NDArray[np.float32]  # (n,) in [0, 1]
    masks: tuple[BoxMask, ...]  # the labels' pixels: they do not overlap
    ious: NDArray[np.float32]  # (n,) the mask decoder's own estimates
    # (m,) scores of boxes that were left out, down to half the box threshold, where no better box lies
    doubted: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))


def assemble(candidates: Sequence[Candidate], height: int, width: int) -> Segmentation:
    """Join, paint by the largest logit (the paper's argmax over cells), drop what others cover, number 1..n."""
    cells = join_fragments(candidates)
    owner = paint(cells, height, width)
    labels = np.zeros((height, width), dtype=np.int32)
    kept: list[Candidate] = []
    masks: list[BoxMask] = []
    for index, cell in enumerate(cells, start=1):
        x0, y0, x1, y1 = cell.window
        visible = largest_island(owner[y0:y1, x0:x1] == index)
        count = int(np.count_nonzero(visible))
        mask = BoxMask.from_mask(visible, x=x0, y=y0)
        if mask is None or count < MIN_CELL_PX or count < MIN_VISIBLE * cell.area:
            continue
        kept.append(cell)
        masks.append(mask)
        labels[y0:y1, x0:x1][visible] = len(kept)
    return _segmentation(labels, kept, masks)


def assemble_painted(candidates: Sequence[Candidate], height: int, width: int) -> Segmentation:
    """As the released model does: paint by falling score, each cell over those before it, then clean the whole map."""
    cells = sorted(join_fragments(candidates), key=lambda cell: -cell.score)
    labels, left = clean_label_map(paint_over(cells, height, width), MIN_PAINTED_PX)
    masks = [mask for _, mask in masks_of_labels(labels)]
    return _segmentation(labels, [cells[index - 1] for index in left], masks)


ASSEMBLE: Mapping[str, Callable[[Sequence[Candidate], int, int], Segmentation]] = MappingProxyType(
    {"argmax": assemble, "painter": assemble_painted}
)


def _segmentation(
    labels: NDArray[np.int32], cells: Sequence[Candidate], masks: Sequence[BoxMask]
) -> Segmentation:
    return Segmentation(
        labels,
        np.array([cell.box_xyxy_px for cell in cells], dtype=np.float32).reshape(-1, 4),
        np.array([cell.score for cell in cells], dtype=np.float32),
        tuple(masks),
        np.array([cell.iou for cell in cells], dtype=np.float32),
    )


def paint(cells: Sequence[Candidate], height: int, width: int) -> NDArray[np.int32]:
    """(H, W): 1 + the index of the cell with the largest logit at each pixel, 0 where none has one."""
    owner = np.zeros((height, width), dtype=np.int32)
    best = np.full((height, width), -np.inf, dtype=np.float32)
    for index, cell in enumerate(cells, start=1):
        x0, y0, x1, y1 = cell.window
        wins = cell.mask & (cell.logits > best[y0:y1, x0:x1])
        owner[y0:y1, x0:x1][wins] = index
        best[y0:y1, x0:x1][wins] = cell.logits[wins]
    return owner


def paint_over(cells: Sequence[Candidate], height: int, width: int) -> NDArray[np.int32]:
    """(H, W): 1 + the index of the last cell at each pixel, 0 where there is none."""
    painted = np.zeros((height, width), dtype=np.int32)
    for index, cell in enumerate(cells, start=1):
        x0, y0, x1, y1 = cell.window
        painted[y0:y1, x0:x1][cell.mask] = index
    return painted


def join_fragments(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates of different tiles that show one cell become one: the better whole one, or the union of cut ones."""
    ordered = sorted(candidates, key=lambda candidate: (candidate.cut, -candidate.score))
    joined: list[Candidate] = []
    windows = np.zeros((len(ordered), 4), dtype=np.int64)
    for candidate in ordered:
        x0, y0, x1, y1 = candidate.window
        seen = windows[: len(joined)]
        near = (seen[:, 0] < x1) & (seen[:, 2] > x0) & (seen[:, 1] < y1) & (seen[:, 3] > y0)
        match = next((i for i in np.flatnonzero(near) if _same_cell(joined[i], candidate)), None)
        if match is None:
            windows[len(joined)] = candidate.window
            joined.append(candidate)
        elif joined[match].cut:  # whole cells come first, so both are cut
            joined[match] = _union(joined[match], candidate)
            windows[match] = joined[match].window
    return joined


def _same_cell(a: Candidate, b: Candidate) -> bool:
    """Whether two candidates of different tiles agree about the pixels that both tiles show."""
    if a.tile == b.tile:
        return False
    shared = _intersection(a.tile_window, b.tile_window)
    if shared is None:
        return False
    mine, theirs = _within(a, shared), _within(b, shared)
    smaller = min(np.count_nonzero(mine), np.count_nonzero(theirs))
    return bool(smaller and np.count_nonzero(mine & theirs) > SAME_CELL * smaller)


def _union(a: Candidate, b: Candidate) -> Candidate:
    window = _hull(a.window, b.window)
    mask = clean(_within(a, window) | _within(b, window))
    logits = np.maximum(_logits_within(a, window), _logits_within(b, window))
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
    )


def _within(candidate: Candidate, window: Window) -> NDArray[np.bool_]:
    """The candidate's mask on the pixels of another window."""
    return _moved(candidate.mask, candidate.window, window, False)


def _logits_within(candidate: Candidate, window: Window) -> NDArray[np.float32]:
    return _moved(candidate.logits, candidate.window, window, -np.inf)


def _moved(values: NDArray[T], source: Window, target: Window, fill: float | bool) -> NDArray[T]:
    moved = np.full((target[3] - target[1], target[2] - target[0]), fill, dtype=values.dtype)
    shared = _intersection(source, target)
    if shared is not None:
        x0, y0, x1, y1 = shared
        moved[y0 - target[1] : y1 - target[1], x0 - target[0] : x1 - target[0]] = values[
            y0 - source[1] : y1 - source[1], x0 - source[0] : x1 - source[0]
        ]
    return moved


def _intersection(a: Window, b: Window) -> Window | None:
    window = (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))
    return window if window[0] < window[2] and window[1] < window[3] else None


def _hull(a: Window, b: Window) -> Window:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
