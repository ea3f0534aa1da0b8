"""Rounds out of records: what a cell cost in each, whether the goals are met, and when it is enough. Pure.

A round is the images between two training runs; the first is played with the base. Its figures are of the images that
were shown to people, over all of them (not a mean of images), because the blind ones, whose cells are all drawn, are
the price of the evidence and no saving: they are counted beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean

from labeling.annotator.records import Arm, ImageRecord, Order

# The stop rule, fixed before the first run: enough once two rounds in a row have each lowered the best figure of the
# rounds before them by less than this many corrections per cell.
STOP_GAIN, STOP_ROUNDS = 0.02, 2

Key = tuple[str, str, str, int]  # domain, arm, order, seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round of one campaign; ``corrected_before`` counts the cells that had been corrected when it began."""

    domain: str
    arm: str
    order: str
    seed: int
    round: int
    images: int
    cells: int
    corrected_before: int
    corrections_per_cell: float
    missed_and_false_per_cell: float
    actions_per_cell: float
    seconds_per_cell: float
    f1_shown: float
    f1: float
    mean_iou: float
    blind_images: int
    blind_actions: int
    actions_per_cell_with_blind: float
    seconds_per_cell_with_blind: float
    version: str


@dataclass(frozen=True, slots=True)
class Goal:
    """A domain's goal by the fifth round, in corrections per cell. ``half_of_base``: half of what the base alone costs
    on the same images; ``never_above`` holds for every round: 1 is the cost of drawing everything."""

    name: str
    corrections: float | None = None
    missed_and_false: float | None = None
    half_of_base: bool = False
    never_above: float | None = None


GOALS = {
    "A": Goal("A: a domain that the base was trained on", corrections=0.15),
    "B": Goal("B: stained tissue, never seen", missed_and_false=0.25, half_of_base=True),
    "C": Goal("C: phase contrast, never seen", corrections=0.5, never_above=1.0),
}
GOAL_ROUND = 5


def rounds(records: Iterable[ImageRecord]) -> list[Round]:
    """All rounds of all campaigns, in order. A round without an image that was shown has no figures and is left out."""
    campaigns: dict[Key, dict[int, list[ImageRecord]]] = {}
    for record in records:
        key = (record.domain, record.arm, record.order, record.seed)
        campaigns.setdefault(key, {}).setdefault(record.round, []).append(record)
    found: list[Round] = []
    for key in sorted(campaigns):
        corrected = 0
        for number, images in sorted(campaigns[key].items()):
            shown = [image for image in images if not image.blind]
            if sum(image.cells for image in shown):
                found.append(_round(number, images, shown, corrected))
            corrected += sum(image.corrected for image in images)
    return found


def _round(number: int, images: Sequence[ImageRecord], shown: Sequence[ImageRecord], corrected: int) -> Round:
    first, blind = images[0], [image for image in images if image.blind]
    cells, all_cells = sum(image.cells for image in shown), sum(image.cells for image in images)
    return Round(
        domain=first.domain,
        arm=first.arm,
        order=first.order,
        seed=first.seed,
        round=number,
        images=len(shown),
        cells=cells,
        corrected_before=corrected,
        corrections_per_cell=sum(image.corrections for image in shown) / cells,
        missed_and_false_per_cell=sum(image.missed_and_false_corrections for image in shown) / cells,
        actions_per_cell=sum(image.actions for image in shown) / cells,
        seconds_per_cell=sum(image.seconds for image in shown) / cells,
        f1_shown=pooled_f1_shown(shown),
        f1=over_cells(shown, lambda image: image.f1),
        mean_iou=over_cells(shown, lambda image: image.mean_iou),
        blind_images=len(blind),
        blind_actions=sum(image.actions for image in blind),
        actions_per_cell_with_blind=sum(image.actions for image in images) / all_cells,
        seconds_per_cell_with_blind=sum(image.seconds for image in images) / all_cells,
        version=shown[-1].version,
    )


def pooled_f1_shown(images: Sequence[ImageRecord]) -> float:
    """F1 of what was shown, its counts added up over images: an image's F1 is 2TP to its true and its shown cells."""
    both = [image.cells + image.shown for image in images]
    twice_right = sum(image.f1_shown * its for image, its in zip(images, both, strict=True))
    return twice_right / sum(both) if sum(both) else 1.0


def over_cells(images: Sequence[ImageRecord], figure: Callable[[ImageRecord], float]) -> float:
    """The mean of an image's figure over the true cells of all images."""
    cells = sum(image.cells for image in images)
    return sum(figure(image) * image.cells for image in images) / max(1, cells)


def enough_after(costs: Sequence[float]) -> int | None:
    """The round (from 1) after which the stop rule says "enough", given the corrections per cell of each; else None."""
    idle = 0
    for index in range(1, len(costs)):
        idle = idle + 1 if min(costs[:index]) - costs[index] < STOP_GAIN else 0
        if idle == STOP_ROUNDS:
            return index + 1
    return None


def base_cost(records: Sequence[ImageRecord], one: Round) -> float | None:
    """Corrections per cell of the base alone on the images that a round of the loop showed; None if not played."""
    images = {
        record.image
        for record in records
        if not record.blind
        and (record.domain, record.arm, record.order, record.seed, record.round)
        == (one.domain, one.arm, one.order, one.seed, one.round)
    }
    same = [
        record
        for record in records
        if record.arm == Arm.PRESEGMENTED
        and (record.domain, record.seed) == (one.domain, one.seed)
        and record.image in images
    ]
    if {record.image for record in same} != images:
        return None
    by_image = {record.image: record for record in same}  # an image costs the base the same in any order
    return sum(record.corrections for record in by_image.values()) / sum(
        record.cells for record in by_image.values()
    )


def verdicts(goal: Goal, records: Sequence[ImageRecord], *, order: Order | str) -> list[str]:
    """A sentence for each part of a goal, over all seeds of the loop; says so where there are too few rounds."""
    mine = [one for one in rounds(records) if one.arm == Arm.LOOP and one.order == order]
    fifth = [one for one in mine if one.round == GOAL_ROUND]
    if not fifth:
        return [f"{goal.name}, {order} order: no campaign has reached round {GOAL_ROUND}."]
    told: list[str] = []
    if goal.corrections is not None:
        value = mean(one.corrections_per_cell for one in fifth)
        told.append(_verdict("corrections per cell", value, goal.corrections))
    if goal.missed_and_false is not None:
        value = mean(one.missed_and_false_per_cell for one in fifth)
        told.append(_verdict("missed and false per cell", value, goal.missed_and_false))
    if goal.half_of_base:
        told.append(_against_base(records, fifth))
    if goal.never_above is not None:
        worst = max(one.corrections_per_cell for one in mine)
        told.append(_verdict("corrections per cell in the worst round", worst, goal.never_above))
    about = f"{goal.name}, {order} order, round {GOAL_ROUND}, seeds: {len(fifth)}"
    return [f"{about}: {sentence}" for sentence in told]


def _against_base(records: Sequence[ImageRecord], fifth: Sequence[Round]) -> str:
    costs = [base_cost(records, one) for one in fifth]
    known = [(one.corrections_per_cell, cost) for one, cost in zip(fifth, costs, strict=True) if cost]
    if not known:
        return "the base alone was not played on the same images."
    return _verdict("corrections against the base's on the same images", mean(a / b for a, b in known), 0.5)


def _verdict(what: str, value: float, at_most: float) -> str:
    return f"{what} {value:.3f}, goal at most {at_most:g}: {'met' if value <= at_most else 'not met'}."
