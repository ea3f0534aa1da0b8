"""What became of each predicted cell, by comparing what the model proposed with what a person accepted. Pure.

A cell that kept its id is compared with itself. One that was deleted and drawn anew is the same correction as a
reshaping, so what is left on both sides is paired by overlap before it counts as false or missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from labeling.models import OutcomeKind
from labeling.patch import CellState

UNTOUCHED_FROM = 0.95  # IoU with the prediction
SAME_CELL_ABOVE = 0.5  # IoU


@dataclass(frozen=True, slots=True)
class Outcome:
    """``cell_id`` is the accepted cell, or the predicted one for FALSE. ``iou`` is None where there is one side."""

    cell_id: str
    kind: OutcomeKind
    iou: float | None
    model_version: str | None


def outcomes(
    predicted: Mapping[str, CellState], accepted: Mapping[str, CellState], version: str | None
) -> list[Outcome]:
    """One outcome a cell, in a fixed order. ``version`` is the model whose proposal missed the cells that it missed."""
    found = [_compared(predicted[id_], cell) for id_, cell in accepted.items() if id_ in predicted]
    gone = {id_: cell for id_, cell in predicted.items() if id_ not in accepted}
    drawn = {id_: cell for id_, cell in accepted.items() if id_ not in predicted}
    for before, after in _redrawn(gone, drawn):
        found.append(_compared(before, after))
        del gone[before.id], drawn[after.id]
    found += [Outcome(id_, OutcomeKind.FALSE, None, cell.model_version) for id_, cell in gone.items()]
    found += [Outcome(id_, OutcomeKind.MISSED, None, version) for id_ in drawn]
    return sorted(found, key=lambda outcome: outcome.cell_id)


def uncovered(
    states: Sequence[CellState], others: Sequence[CellState], *, above: float
) -> Iterator[CellState]:
    """The cells that have an IoU above this with none of the others."""
    for state, iou in zip(states, best_ious(states, others), strict=True):
        if iou <= above:
            yield state


def best_ious(states: Sequence[CellState], others: Sequence[CellState]) -> list[float]:
    """The highest IoU of each cell with one of the others; 0 without. Masks are compared only where boxes meet."""
    boxes = np.array([other.box for other in others], dtype=np.int64).reshape(-1, 4)
    best = []
    for state in states:
        x0, y0, x1, y1 = state.box
        meet = (boxes[:, 0] < x1) & (boxes[:, 2] > x0) & (boxes[:, 1] < y1) & (boxes[:, 3] > y0)
        near = [others[index] for index in np.flatnonzero(meet).tolist()]
        as_it_was = any(_equal(state, other) for other in near)  # most cells are: then no mask is decoded
        best.append(1.0 if as_it_was else max((state.mask.iou(other.mask) for other in near), default=0.0))
    return best


def _equal(one: CellState, other: CellState) -> bool:
    return (one.box, one.rle) == (other.box, other.rle)


def _compared(before: CellState, after: CellState) -> Outcome:
    iou = 1.0 if _equal(before, after) else before.mask.iou(after.mask)
    kind = OutcomeKind.UNTOUCHED if iou >= UNTOUCHED_FROM else OutcomeKind.RESHAPED
    return Outcome(after.id, kind, iou, before.model_version)


def _redrawn(
    gone: Mapping[str, CellState], drawn: Mapping[str, CellState]
) -> Iterator[tuple[CellState, CellState]]:
    """Pairs of a deleted and a drawn cell that cover the same place, best overlap first, each cell once.

    People's cells may overlap, so a deleted cell can have several partners.
    """
    pairs = [
        (before.mask.iou(after.mask), before, after)
        for before in gone.values()
        for after in drawn.values()
        if _boxes_meet(before, after)
    ]
    used: set[str] = set()
    for iou, before, after in sorted(pairs, key=lambda pair: (-pair[0], pair[1].id, pair[2].id)):
        if iou > SAME_CELL_ABOVE and before.id not in used and after.id not in used:
            used |= {before.id, after.id}
            yield before, after


def _boxes_meet(a: CellState, b: CellState) -> bool:
    return a.box[0] < b.box[2] and b.box[0] < a.box[2] and a.box[1] < b.box[3] and b.box[1] < a.box[3]
