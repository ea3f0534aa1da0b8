"""The gate: may a tuned model replace the active one? Pure arithmetic on figures of images that neither trained on.

It asks for evidence (enough held-out images), for a better pooled F1, and that nothing became clearly worse: no group
of images, nor the masks that true boxes give. "Clearly" means that a paired bootstrap over images, with a fixed seed,
leaves no doubt: 97.5% of the resamples are worse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labeling.matching import Counts

Outcome = Literal["promoted", "rejected", "not_enough_evidence"]
Figures = NDArray[np.float64]

MINIMUM_IMAGES = 5
RESAMPLES = 2000
SEED = 20240607
EQUAL = 1e-9
INTERVAL = (2.5, 97.5)  # percentiles


@dataclass(frozen=True, slots=True)
class ImageScore:
    """One model on one held-out image.

    ``true_positive`` and so on: cells matched at a mask IoU above 0.6 by the whole pipeline. ``iou_sum``: the IoU of
    each true cell with the mask that its true box gives, added up over ``prompted`` cells. ``group``: what kind of
    image it is (a modality); groups are guarded one by one.
    """

    image_id: str
    group: str
    true_positive: int
    false_positive: int
    false_negative: int
    iou_sum: float
    prompted: int

    @property
    def counts(self) -> Counts:
        return Counts(self.true_positive, self.false_positive, self.false_negative)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Change:
    """A figure of the active model and of the candidate, and the 95% interval of the paired difference."""

    active: float
    candidate: float
    low: float
    high: float

    @property
    def clearly_worse(self) -> bool:
        return self.high < 0

    def to_json(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Decision:
    """``reason`` is a plain sentence with its figures. ``f1``, ``miou`` and ``groups`` are None without evidence."""

    outcome: Outcome
    reason: str
    f1: Change | None = None
    miou: Change | None = None
    groups: dict[str, Change] | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "f1": self.f1.to_json() if self.f1 else None,
            "miou": self.miou.to_json() if self.miou else None,
            "groups": {name: change.to_json() for name, change in (self.groups or {}).items()},
        }


def summary(scores: Sequence[ImageScore]) -> dict[str, float]:
    """Pooled figures of one model: f1, precision, recall, miou, count_error (mean share of cells too many or few)."""
    counts = sum((score.counts for score in scores), Counts())
    prompted = sum(score.prompted for score in scores)
    return {
        "f1": counts.f1,
        "precision": counts.precision,
        "recall": counts.recall,
        "miou": sum(score.iou_sum for score in scores) / max(1, prompted),
        "count_error": float(np.mean([_count_error(score) for score in scores])) if scores else 0.0,
    }


def decide(
    active: Sequence[ImageScore], candidate: Sequence[ImageScore], minimum: int = MINIMUM_IMAGES
) -> Decision:
    """Whether ``candidate`` replaces ``active``, judged on the same images.

    Raises ValueError if the two were not measured on the same images.
    """
    pairs = _paired(active, candidate)
    with_cells = sum(1 for before, _ in pairs if before.true_positive + before.false_negative > 0)
    if with_cells < minimum:
        return Decision("not_enough_evidence", _too_few(with_cells, minimum))
    before, after = _table([a for a, _ in pairs]), _table([c for _, c in pairs])
    f1, miou = _change(before, after, _f1), _change(before, after, _miou)
    groups = _group_changes(pairs, minimum)
    outcome, reason = _judge(f1, miou, groups, len(pairs))
    return Decision(outcome, reason, f1=f1, miou=miou, groups=groups)


def _judge(f1: Change, miou: Change, groups: dict[str, Change], images: int) -> tuple[Outcome, str]:
    figures = f"F1 {_arrow(f1)} on {images} held-out images, 95% interval of the change {_interval(f1)}"
    worse = [f"{name}: F1 {_arrow(change)}" for name, change in groups.items() if change.clearly_worse]
    if f1.candidate < f1.active - EQUAL:
        return "rejected", f"Not better: {figures}."
    if worse:
        return "rejected", f"Clearly worse on {'; '.join(worse)}. In all: {figures}."
    if miou.clearly_worse:
        return "rejected", f"Masks from true boxes are clearly worse: mean IoU {_arrow(miou)}. {figures}."
    if f1.candidate > f1.active + EQUAL:
        return "promoted", f"Better: {figures}; mean IoU with true boxes {_arrow(miou)}."
    if miou.candidate > miou.active + EQUAL:
        return "promoted", f"Masks are better: mean IoU with true boxes {_arrow(miou)}; the same {figures}."
    return "rejected", f"No difference: {figures}; mean IoU with true boxes {_arrow(miou)}."


def _too_few(images: int, minimum: int) -> str:
    held_out = "1 held-out image has" if images == 1 else f"{images} held-out images have"
    return f"{held_out} cells and {'was' if images == 1 else 'were'} submitted; {minimum} are needed to tell."


def _paired(
    active: Sequence[ImageScore], candidate: Sequence[ImageScore]
) -> list[tuple[ImageScore, ImageScore]]:
    later = {score.image_id: score for score in candidate}
    if len(later) != len(candidate) or {score.image_id for score in active} != later.keys():
        raise ValueError("the two models were not measured on the same images")
    if len(active) != len(later):
        raise ValueError("an image was measured twice")
    return [(score, later[score.image_id]) for score in sorted(active, key=lambda score: score.image_id)]


def _table(scores: Sequence[ImageScore]) -> Figures:
    """(n, 5) true_positive, false_positive, false_negative, iou_sum, prompted of each image."""
    rows = [(s.true_positive, s.false_positive, s.false_negative, s.iou_sum, s.prompted) for s in scores]
    return np.asarray(rows, dtype=np.float64).reshape(-1, 5)


def _f1(sums: Figures) -> Figures:
    """(..., 5) sums -> (...) pooled F1; 1 where there is nothing to find and nothing was found."""
    total = 2 * sums[..., 0] + sums[..., 1] + sums[..., 2]
    return np.where(total > 0, 2 * sums[..., 0] / np.maximum(total, 1), 1.0)


def _miou(sums: Figures) -> Figures:
    """(..., 5) sums -> (...) mean IoU with true boxes."""
    return np.asarray(sums[..., 3] / np.maximum(sums[..., 4], 1), dtype=np.float64)


def _change(before: Figures, after: Figures, figure: Callable[[Figures], Figures]) -> Change:
    """The figure of both, pooled over images, with the paired bootstrap interval of its difference."""
    picks = np.random.default_rng(SEED).integers(0, len(before), size=(RESAMPLES, len(before)))
    differences = figure(after[picks].sum(axis=1)) - figure(before[picks].sum(axis=1))
    low, high = np.percentile(differences, INTERVAL)
    return Change(
        float(figure(before.sum(axis=0))), float(figure(after.sum(axis=0))), float(low), float(high)
    )


def _group_changes(pairs: Sequence[tuple[ImageScore, ImageScore]], minimum: int) -> dict[str, Change]:
    """The change of F1 in each group that has enough images to tell."""
    names = sorted({before.group for before, _ in pairs})
    members = {name: [pair for pair in pairs if pair[0].group == name] for name in names}
    return {
        name: _change(_table([a for a, _ in group]), _table([c for _, c in group]), _f1)
        for name, group in members.items()
        if len(group) >= minimum
    }


def _count_error(score: ImageScore) -> float:
    true = score.true_positive + score.false_negative
    found = score.true_positive + score.false_positive
    return abs(found - true) / max(1, true)


def _arrow(change: Change) -> str:
    return f"{change.active:.3f} → {change.candidate:.3f}"


def _interval(change: Change) -> str:
    return f"{change.low:+.3f} to {change.high:+.3f}"
