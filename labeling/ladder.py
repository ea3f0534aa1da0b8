"""The ladder of tuning: how much of the model a run may change, and which of its candidates is taken. Pure.

The neck mends masks and needs few cells; missed and false cells need the whole CellFinder, and more of them; a
modality that the trunk has never seen needs the trunk too. The lowest rung that is best wins: what changes less of
the model forgets less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class Rung(IntEnum):
    NECK = 1
    FINDER = 2  # the neck and the whole CellFinder
    TRUNK = 3  # all of it; features have to be computed anew


# Corrected cells from which a rung is worth its time (docs/training.md). The trunk's is tried as soon as CellFinder's:
# where the trunk does not know a modality, CellFinder alone brings next to nothing.
FROM_CELLS = {Rung.NECK: 50, Rung.FINDER: 200, Rung.TRUNK: 200}
POOR_PRECISION = 0.5  # under it, outlines cost people more than drawing does
CLEARLY_BETTER = 0.02  # of F1: smaller differences between two candidates are noise


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate as the gate saw it: its rung, whether it may be promoted, and its F1."""

    rung: Rung
    promotable: bool
    f1: float


def rungs_to_try(
    *, corrected_cells: int, deep: bool = False, precision: float | None = None
) -> tuple[Rung, ...]:
    """The rungs worth trying after ``corrected_cells``, lowest first; none while they are too few.

    The trunk is only touched where an admin allows it (``deep``), or where the active version's held-out
    ``precision`` is poor, which says that the frozen trunk does not know these images.
    """
    unknown_modality = precision is not None and precision < POOR_PRECISION
    reached = [rung for rung in Rung if corrected_cells >= FROM_CELLS[rung]]
    return tuple(rung for rung in reached if rung != Rung.TRUNK or deep or unknown_modality)


def choose(candidates: Sequence[Judged]) -> int:
    """The index of the candidate to take: the lowest rung that is best.

    Those that may be promoted come first; a higher rung must be clearly better than a lower one. Raises ValueError
    without candidates.
    """
    if not candidates:
        raise ValueError("there is no candidate to choose from")
    promotable = [index for index, one in enumerate(candidates) if one.promotable]
    order = sorted(promotable or range(len(candidates)), key=lambda index: candidates[index].rung)
    best = order[0]
    for index in order[1:]:
        if candidates[index].f1 > candidates[best].f1 + CLEARLY_BETTER:
            best = index
    return best
