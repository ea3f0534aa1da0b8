"""What a person would do on one image, given the cells that are shown and the true ones. Pure.

An image that is mostly wrong is cleared and boxed anew. Else false cells are deleted first, then outlines that are off
are repaired, then missed cells are boxed. A mask that the model returns for a box leaves out the pixels of the cells
that are there, as the labelling page does by default. If it is still under `Rules.repair_below`, one stroke of the
brush gives it the true outline.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import numpy as np

from labeling.annotator.cost_model import RULES, Kind, Rules
from labeling.matching import Counts
from labeling.rle import BoxMask

Box = tuple[float, float, float, float]
# A person's box x0, y0, x1, y1 in image pixels to the model's mask.
Decode = Callable[[Box], BoxMask]


@dataclass(frozen=True, slots=True)
class Act:
    """One action: the cell has this mask afterwards, or all of the cells ``ids`` are gone if it is None."""

    kind: Kind
    ids: tuple[str, ...]
    mask: BoxMask | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A shown cell that is an attempt at a true one."""

    shown: str
    true: int
    iou: float


@dataclass(slots=True)
class Player:
    """Plays one image of (height, width) = ``size``; ``cells`` are those shown, and in the end those accepted."""

    cells: dict[str, BoxMask]
    truth: Sequence[BoxMask]
    size: tuple[int, int]
    decode: Decode
    random: np.random.Generator
    rules: Rules = RULES
    missed: int = field(default=0, init=False)
    false: int = field(default=0, init=False)
    reshaped: int = field(default=0, init=False)
    actions: Counter[Kind] = field(default_factory=Counter, init=False)

    def acts(self) -> Iterator[Act]:
        """Each action as it is done; `cells` is up to date after each."""
        pairs = paired(self.cells, self.truth, above=self.rules.same_cell_above)
        drawn = {pair.true for pair in pairs}
        self.missed, self.false = len(self.truth) - len(drawn), len(self.cells) - len(pairs)
        if self._is_mostly_wrong():
            self.reshaped = len(pairs)
            drawn.clear()
            yield self._gone(Kind.CLEAR, *self.cells)
        else:
            yield from self._mend(pairs)
        for index, true in enumerate(self.truth):
            if index not in drawn:
                yield from self._prompt(Kind.BOX, str(uuid4()), true)

    def _is_mostly_wrong(self) -> bool:
        least = max(self.rules.clear_from_cells, self.rules.clear_from_share * len(self.cells))
        return self.false >= least

    def _mend(self, pairs: Sequence[Pair]) -> Iterator[Act]:
        attempts = {pair.shown for pair in pairs}
        for id_ in [id_ for id_ in self.cells if id_ not in attempts]:
            yield self._gone(Kind.DELETE, id_)
        for pair in pairs:
            if pair.iou < self.rules.repair_below:
                self.reshaped += 1
                yield from self._repair(pair.shown, self.truth[pair.true])

    def _repair(self, id_: str, true: BoxMask) -> Iterator[Act]:
        if box_iou(self.cells[id_].box, true.box) < self.rules.redraw_below:
            yield from self._prompt(Kind.REDRAW, id_, true)
        else:
            yield self._drawn(Kind.BRUSH, id_, true)

    def _prompt(self, kind: Kind, id_: str, true: BoxMask) -> Iterator[Act]:
        others = (mask for other, mask in self.cells.items() if other != id_)
        mask = without(self.decode(self._hand(true.box)), others)
        yield self._drawn(kind, id_, mask)
        if mask.iou(true) < self.rules.repair_below:
            yield self._drawn(Kind.BRUSH, id_, true)

    def _drawn(self, kind: Kind, id_: str, mask: BoxMask) -> Act:
        self.actions[kind] += 1
        self.cells[id_] = mask
        return Act(kind, (id_,), mask)

    def _gone(self, kind: Kind, *ids: str) -> Act:
        self.actions[kind] += 1
        for id_ in ids:
            del self.cells[id_]
        return Act(kind, ids, None)

    def _hand(self, box: tuple[int, int, int, int]) -> Box:
        """The box as the hand draws it: each side a little off, inside the image, at least a pixel wide and high."""
        height, width = self.size
        x0, x1 = self._sides(box[0], box[2], width)
        y0, y1 = self._sides(box[1], box[3], height)
        return x0, y0, x1, y1

    def _sides(self, low: int, high: int, end: int) -> tuple[float, float]:
        deviation = max(self.rules.hand_px, self.rules.hand_share * (high - low))
        errors = np.clip(self.random.normal(0, deviation, 2), -2 * deviation, 2 * deviation)
        first = min(max(low + float(errors[0]), 0.0), end - 1.0)
        return first, min(max(high + float(errors[1]), first + 1), float(end))


def paired(shown: Mapping[str, BoxMask], truth: Sequence[BoxMask], *, above: float) -> list[Pair]:
    """Attempts at true cells, best overlap first, each cell once; in the order of the true cells."""
    pairs = [
        Pair(id_, index, iou)
        for id_, mask in shown.items()
        for index, true in enumerate(truth)
        if boxes_meet(mask.box, true.box) and (iou := mask.iou(true)) > above
    ]
    of_shown: set[str] = set()
    of_true: dict[int, Pair] = {}
    for pair in sorted(pairs, key=lambda pair: (-pair.iou, pair.true, pair.shown)):
        if pair.shown not in of_shown and pair.true not in of_true:
            of_shown.add(pair.shown)
            of_true[pair.true] = pair
    return [of_true[true] for true in sorted(of_true)]


def agreement(
    cells: Sequence[BoxMask], truth: Sequence[BoxMask], *, threshold: float
) -> tuple[Counts, float]:
    """Matches at a mask IoU above ``threshold``, and the mean over true cells of their best IoU (1.0 without any)."""
    shown = {str(index): mask for index, mask in enumerate(cells)}
    matched = len(paired(shown, truth, above=threshold))
    best = [
        max((mask.iou(true) for mask in cells if boxes_meet(mask.box, true.box)), default=0.0)
        for true in truth
    ]
    counts = Counts(matched, len(cells) - matched, len(truth) - matched)
    return counts, float(np.mean(best)) if best else 1.0


def without(mask: BoxMask, others: Iterable[BoxMask]) -> BoxMask:
    """The mask less the pixels of the others; the mask itself if nothing would be left."""
    x0, y0, x1, y1 = mask.box
    free = np.ones((y1 - y0, x1 - x0), dtype=np.int32)
    for other in others:
        if boxes_meet(mask.box, other.box):
            BoxMask(
                (other.box[0] - x0, other.box[1] - y0, other.box[2] - x0, other.box[3] - y0), other.rle
            ).paint(free, 0)
    return BoxMask.from_mask(mask.mask() & (free > 0), x=x0, y=y0) or mask


def box_iou(a: Box, b: Box) -> float:
    """IoU of two half-open boxes."""
    shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    both = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return shared / (both - shared)


def boxes_meet(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
