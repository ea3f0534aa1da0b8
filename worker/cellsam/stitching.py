"""From decoded cells of many tiles to cells of the image: fragments on seams joined, overlaps settled.

Tiles may come one after the other, from top to bottom: what no later tile can touch is settled and handed out, and
forgotten once no waiting cell overlaps it. The answer does not depend on when that is asked for.

1. *Joining*, as candidates arrive, among those of one level: two of different tiles that show one cell become one.
2. *Coarse cells*, found where tiles show more of the image, stand if they are no clump of cells that a finer level
   shows whole; then they replace the fragments in them.
3. *Overlaps*: a pixel belongs to one cell. Then each cell is cleaned, and dropped if too little of it is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import groupby
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labeling.rle import BoxMask
from worker.cellsam.candidates import (
    Candidate,
    Mask,
    covered,
    intersection,
    lies_in,
    logits_within,
    same_cell,
    union,
    within,
)
from worker.cellsam.cleanup import clean_label_map, islands
from worker.cellsam.preprocess import Window

Overlaps = Literal["argmax", "painter"]

CLUMP = 0.2  # share of a coarse cell that whole cells of finer levels cover if it is none, but many
MIN_CELL_PX = 6
MIN_PAINTED_PX = 25  # the released model's
MIN_VISIBLE = 0.4  # of a mask that other cells leave; less is a second answer for the same cell
BELOW_ALL = 2**62  # a row that no image reaches


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the image: pixels that no other cell has, CellFinder's box, and both scores in [0, 1]."""

    mask: BoxMask
    box_xyxy_px: NDArray[np.float32]  # (4,)
    score: float
    iou: float


@dataclass(frozen=True)
class Segmentation:
    """All cells of an image, the best first; row i of everything is label i + 1. No cells: empty rows."""

    height: int
    width: int
    boxes: NDArray[np.float32]  # (n, 4) x0, y0, x1, y1 in image pixels, as CellFinder gave them
    scores: NDArray[np.float32]  # (n,) in [0, 1]
    masks: tuple[BoxMask, ...]  # they do not overlap
    ious: NDArray[np.float32]  # (n,) the mask decoder's own estimates
    # (m,) scores of boxes that were left out, down to half the box threshold, where no better box lies
    doubted: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))

    @classmethod
    def of(
        cls, cells: Iterable[Cell], height: int, width: int, *, doubted: Sequence[float] = ()
    ) -> Segmentation:
        rows = sorted(cells, key=lambda cell: -cell.score)
        return cls(
            height,
            width,
            np.array([cell.box_xyxy_px for cell in rows], dtype=np.float32).reshape(-1, 4),
            np.array([cell.score for cell in rows], dtype=np.float32),
            tuple(cell.mask for cell in rows),
            np.array([cell.iou for cell in rows], dtype=np.float32),
            np.array(doubted, dtype=np.float32),
        )

    @cached_property
    def labels(self) -> NDArray[np.int32]:
        """(H, W), 0 background, 1..n. Painted when first asked for."""
        painted = np.zeros((self.height, self.width), dtype=np.int32)
        for label, mask in enumerate(self.masks, start=1):
            mask.paint(painted, label)
        return painted


@dataclass(eq=False, slots=True)
class _Held:
    """A candidate on its way to a cell."""

    candidate: Candidate
    order: tuple[float, bool, int]  # the best first; no two have the same
    stands: bool | None  # None: a coarse one that waits for all that lies in it
    replaced: bool = False  # by a coarse one; it still speaks for what lies in others
    owned: Mask | None = None  # its pixels among its neighbours, once all of these are settled
    owned_px: int = 0
    done: bool = False

    @property
    def gone(self) -> bool:
        return self.replaced or self.stands is False

    @property
    def finished(self) -> bool:
        return self.done or self.gone


class Stitcher:
    """Takes candidates tile by tile, no tile beginning further up than the one before, and gives cells.

    `overlaps`: see `Strategies.overlaps`.
    """

    def __init__(self, overlaps: Overlaps = "argmax") -> None:
        self._yields, self._clean = RULES[overlaps]
        self._held: list[_Held] = []
        self._windows = np.zeros((0, 4), dtype=np.int64)
        self._arrived = 0

    def add(self, candidates: Iterable[Candidate]) -> None:
        """All candidates of one tile."""
        for candidate in sorted(candidates, key=lambda candidate: (candidate.cut, -candidate.score)):
            self._join(candidate)

    def settle(self, horizon: int = BELOW_ALL) -> list[Cell]:
        """The cells that are final if all further tiles begin at row `horizon` or below it."""
        self._decide(horizon)
        settled = {held.order for held in self._held if self._is_settled(held, horizon)}
        for held in self._held:
            if held.owned is None and not held.gone and held.order in settled:
                near = self._near(held)
                if all(other.order in settled for other in near):
                    held.owned = _owned(held, [other for other in near if not other.gone], self._yields)
                    held.owned_px = int(np.count_nonzero(held.owned))
        cells = [cell for held in self._held if (cell := self._finish(held)) is not None]
        self._forget(horizon)
        return cells

    def settled_above(self, horizon: int) -> int:
        """The row above which nothing changes any more, after `settle(horizon)`."""
        return min([horizon, *(held.candidate.window[1] for held in self._held if not held.finished)])

    def joined(self) -> list[Candidate]:
        """After the last tile: all that are cells before overlaps are settled, the best first."""
        self._decide(BELOW_ALL)
        standing = sorted((held for held in self._held if not held.gone), key=lambda held: held.order)
        return [held.candidate for held in standing]

    def _join(self, new: Candidate) -> None:
        rivals = [
            held
            for held in self._touching(new.window)
            if held.candidate.level == new.level and same_cell(held.candidate, new)
        ]
        whole = [held.candidate.score for held in rivals if not held.candidate.cut]
        if whole and (new.cut or max(whole) >= new.score):
            return
        if new.cut:
            for held in rivals:
                new = union(held.candidate, new)
        self._remove(rivals)
        self._arrived += 1
        self._held.append(
            _Held(new, (-new.score, new.cut, self._arrived), stands=None if new.level else True)
        )
        self._windows = np.concatenate([self._windows, [new.window]])

    def _decide(self, horizon: int) -> None:
        """Whether coarse ones stand, from finer to coarser, as soon as all that lies in them is known."""
        waiting = [held for held in self._held if held.stands is None and _bottom(held) <= horizon]
        for coarse in sorted(waiting, key=lambda held: held.candidate.level):
            finer = [other for other in self._near(coarse) if other.candidate.level < coarse.candidate.level]
            if any(other.stands is None or _bottom(other) > horizon for other in finer):
                continue
            inside = [other for other in finer if other.stands and lies_in(other.candidate, coarse.candidate)]
            whole = [other.candidate for other in inside if not other.candidate.cut]
            coarse.stands = covered(coarse.candidate, whole) < CLUMP
            for other in inside if coarse.stands else ():
                other.replaced |= other.candidate.cut or other.candidate.score < coarse.candidate.score

    def _is_settled(self, held: _Held, horizon: int) -> bool:
        """Whether neither a later tile nor a coarse one that still waits can change it."""
        if _bottom(held) > horizon or held.stands is None:
            return False
        level = held.candidate.level
        return all(other.stands is not None for other in self._near(held) if other.candidate.level > level)

    def _finish(self, held: _Held) -> Cell | None:
        """Its cell, if there is one, as soon as the pixels of all its neighbours are known."""
        if held.owned is None or held.done:
            return None
        near = [other for other in self._near(held) if not other.gone]
        if any(other.owned is None for other in near):
            return None
        held.done = True
        mask = self._clean(held, [other for other in near if other.owned_px]) if held.owned_px else None
        candidate = held.candidate
        return None if mask is None else Cell(mask, candidate.box_xyxy_px, candidate.score, candidate.iou)

    def _forget(self, horizon: int) -> None:
        """Finished ones that no unfinished one overlaps."""
        waiting = self._windows[[not held.finished for held in self._held]]
        self._remove(
            [
                held
                for held in self._held
                if held.finished
                and _bottom(held) <= horizon
                and not _overlap(waiting, held.candidate.window).any()
            ]
        )

    def _touching(self, window: Window) -> list[_Held]:
        return [self._held[row] for row in np.flatnonzero(_overlap(self._windows, window))]

    def _near(self, held: _Held) -> list[_Held]:
        return [other for other in self._touching(held.candidate.window) if other is not held]

    def _remove(self, gone: Sequence[_Held]) -> None:
        if gone:
            orders = {held.order for held in gone}
            stay = [held.order not in orders for held in self._held]
            self._held = [held for held, stays in zip(self._held, stay, strict=True) if stays]
            self._windows = self._windows[stay]


def assemble(
    candidates: Sequence[Candidate], height: int, width: int, *, overlaps: Overlaps = "argmax"
) -> Segmentation:
    """All cells of an image at once."""
    stitcher, cells = Stitcher(overlaps), list[Cell]()
    for tile in _by_tile(candidates):
        cells += stitcher.settle(tile[0].tile_window[1])
        stitcher.add(tile)
    return Segmentation.of([*cells, *stitcher.settle()], height, width)


ASSEMBLE: Mapping[str, Callable[[Sequence[Candidate], int, int], Segmentation]] = MappingProxyType(
    {"argmax": assemble, "painter": partial(assemble, overlaps="painter")}
)


def join_fragments(candidates: Sequence[Candidate]) -> list[Candidate]:
    """One candidate for each cell of an image, the best first; they may overlap."""
    stitcher = Stitcher()
    for tile in _by_tile(candidates):
        stitcher.add(tile)
    return stitcher.joined()


def _by_tile(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """The candidates of each tile, from top to bottom as `Frame.searched` has them."""
    ordered = sorted(candidates, key=_place)
    return [list(of_tile) for _, of_tile in groupby(ordered, key=_place)]


def _place(candidate: Candidate) -> tuple[int, int, int]:
    return candidate.tile_window[1], -candidate.level, candidate.tile


def _bottom(held: _Held) -> int:
    return held.candidate.window[3]


def _overlap(windows: NDArray[np.int64], window: Window) -> Mask:
    """(n,) which of the (n, 4) windows share a pixel with this one."""
    x0, y0, x1, y1 = window
    return np.asarray(
        (windows[:, 0] < x1) & (windows[:, 2] > x0) & (windows[:, 1] < y1) & (windows[:, 3] > y0)
    )


def _owned(held: _Held, near: Sequence[_Held], yields: Yields) -> Mask:
    """The pixels of its mask, inside its window, that it does not yield to a neighbour."""
    x0, y0, _, _ = held.candidate.window
    owned = held.candidate.mask.copy()
    for other in near:
        if not owned.any():
            break
        shared = intersection(held.candidate.window, other.candidate.window)
        yielded = None if shared is None else yields(held, other, shared)
        if shared is not None and yielded is not None:
            owned[shared[1] - y0 : shared[3] - y0, shared[0] - x0 : shared[2] - x0] &= ~yielded
    return owned


def _to_larger_logit(held: _Held, other: _Held, shared: Window) -> Mask:
    """The paper's argmax over cells."""
    mine, theirs = logits_within(held.candidate, shared), logits_within(other.candidate, shared)
    wins = theirs >= mine if other.order < held.order else theirs > mine
    return np.asarray(within(other.candidate, shared) & wins)


def _to_later(held: _Held, other: _Held, shared: Window) -> Mask | None:
    """As the released model paints: by falling score, each cell over those before it."""
    return within(other.candidate, shared) if other.order > held.order else None


def _visible(held: _Held, near: Sequence[_Held]) -> BoxMask | None:
    """Of what it owns, the largest piece, or all but small ones; None if others cover most of it."""
    if held.owned is None:
        return None
    visible = islands(held.owned, held.candidate.region_px)
    count = int(np.count_nonzero(visible))
    if count < max(MIN_CELL_PX, MIN_VISIBLE * held.candidate.area):
        return None
    return BoxMask.from_mask(visible, x=held.candidate.window[0], y=held.candidate.window[1])


def _filled(held: _Held, near: Sequence[_Held]) -> BoxMask | None:
    """What `clean_label_map` makes of it among its neighbours."""
    around = sorted([held, *near], key=lambda other: other.order)
    windows = np.array([other.candidate.window for other in around])
    (left, top), (right, bottom) = windows[:, :2].min(axis=0), windows[:, 2:].max(axis=0)
    painted = np.zeros((bottom - top, right - left), dtype=np.int32)
    for label, other in enumerate(around, start=1):
        x0, y0, x1, y1 = other.candidate.window
        painted[y0 - top : y1 - top, x0 - left : x1 - left][other.owned] = label
    cleaned, numbers = clean_label_map(painted, MIN_PAINTED_PX)
    own = around.index(held) + 1
    if own not in numbers:
        return None
    return BoxMask.from_mask(cleaned == numbers.index(own) + 1, x=int(left), y=int(top))


Yields = Callable[[_Held, _Held, Window], Mask | None]  # None: nothing
Clean = Callable[[_Held, Sequence[_Held]], BoxMask | None]
RULES: Mapping[str, tuple[Yields, Clean]] = MappingProxyType(
    {"argmax": (_to_larger_logit, _visible), "painter": (_to_later, _filled)}
)
