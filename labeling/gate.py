"""The gate: may a tuned model replace the active one? Pure arithmetic on figures of images that neither trained on.

Only blind images decide: held-out images that people labelled without seeing a model's outlines, so that no model is
flattered by its own masks. It asks for evidence (enough independent ones), for a better pooled F1, and that nothing
became clearly worse: no group of images, no average precision, no count, nor the masks that true boxes give.
"Clearly" means that a paired bootstrap over clusters (frames of one movie are no independent evidence), with a fixed
seed, leaves no doubt: 97.5% of the resamples are worse. Masks, of which each image has many and which hardly differ
from one resample to the next, must also be worse by more than anybody sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labeling.matching import Counts
from labeling.score_tally import Row, ScoreTally

Outcome = Literal["promoted", "rejected", "not_enough_evidence"]
Figures = NDArray[np.float64]
Pair = tuple["ImageScore", "ImageScore"]

FIGURES = ("f1", "ap50", "miou", "count_error")
MINIMUM_IMAGES = 5
RESAMPLES = 2000
NUMBERS_AT_ONCE = 2**18  # of an array of resamples by detections: what a processor's cache holds
SEED = 20240607
EQUAL = 1e-9
SLIGHT_MASK_LOSS = 0.02  # of the mean IoU: no reason to do without cells that are found
INTERVAL = (2.5, 97.5)  # percentiles


@dataclass(frozen=True, slots=True)
class ImageScore:
    """One model on one held-out image.

    ``true_positive`` and so on: cells matched at a mask IoU above 0.6 by the whole pipeline. ``iou_sum``: the IoU of
    each true cell with the mask that its true box gives, added up over ``prompted`` cells. ``group``: what kind of
    image it is (a modality); groups are guarded one by one. ``cluster``: what it shares with images that are no
    independent evidence (a movie, a slide); empty: nothing. ``blind``: people labelled it without seeing outlines.
    ``detections``: (score, whether it hits a true cell at a mask IoU of 0.5 or more) of each cell found, best first.
    ``touched_found`` of the ``touched_cells``, which people had added or reshaped, were found. ``by_score``: the rows
    of the found cells' `ScoreTally`.
    """

    image_id: str
    group: str
    true_positive: int
    false_positive: int
    false_negative: int
    iou_sum: float
    prompted: int
    cluster: str = ""
    blind: bool = True
    detections: tuple[tuple[float, bool], ...] = ()
    touched_found: int = 0
    touched_cells: int = 0
    by_score: tuple[Row, ...] = ()

    @property
    def counts(self) -> Counts:
        return Counts(self.true_positive, self.false_positive, self.false_negative)

    @property
    def true_cells(self) -> int:
        return self.true_positive + self.false_negative

    @property
    def count_error(self) -> float:
        """Cells too many or too few, as a share of the true ones."""
        found = self.true_positive + self.false_positive
        return abs(found - self.true_cells) / max(1, self.true_cells)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Change:
    """A figure of the active model and of the candidate, and the 95% interval of the paired difference."""

    active: float
    candidate: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Decision:
    """``reason`` is a plain sentence with its figures. ``images`` decided; ``clusters`` of them are independent.

    ``changes`` of FIGURES and of F1 in each of the ``groups`` are empty without evidence.
    """

    outcome: Outcome
    reason: str
    images: int = 0
    clusters: int = 0
    changes: Mapping[str, Change] = field(default_factory=dict)
    groups: Mapping[str, Change] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        changes = {name: self.changes.get(name) for name in FIGURES}
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "images": self.images,
            "clusters": self.clusters,
            **{name: change.to_json() if change else None for name, change in changes.items()},
            "groups": {name: change.to_json() for name, change in self.groups.items()},
        }


def summary(scores: Sequence[ImageScore]) -> dict[str, Any]:
    """Pooled figures of one model: f1, precision, recall, ap50, miou, count_error (mean share of cells too many or
    few), found (cells that it found), touched_found of the touched_cells, and by_score: rows of a `ScoreTally`."""
    counts = sum((score.counts for score in scores), Counts())
    prompted = sum(score.prompted for score in scores)
    return {
        "f1": counts.f1,
        "precision": counts.precision,
        "recall": counts.recall,
        "ap50": average_precision(scores),
        "miou": sum(score.iou_sum for score in scores) / max(1, prompted),
        "count_error": float(np.mean([score.count_error for score in scores])) if scores else 0.0,
        "found": counts.true_positive + counts.false_positive,
        "touched_found": sum(score.touched_found for score in scores),
        "touched_cells": sum(score.touched_cells for score in scores),
        "by_score": sum((ScoreTally.from_rows(score.by_score) for score in scores), ScoreTally()).rows(),
    }


def average_precision(scores: Sequence[ImageScore]) -> float:
    """Area under the precision-recall curve at a mask IoU of 0.5, detections of all images ranked together.

    Precision is made monotone (its best value at this recall or more), as in PASCAL VOC from 2010 on; 1 where there
    is nothing to find and nothing was found.
    """
    return float(_Ranking(scores).average_precision(np.ones((1, len(scores))))[0])


def decide(
    active: Sequence[ImageScore], candidate: Sequence[ImageScore], minimum: int = MINIMUM_IMAGES
) -> Decision:
    """Whether ``candidate`` replaces ``active``, judged on the same images: the blind ones with cells.

    Raises ValueError if the two were not measured on the same images.
    """
    pairs = [pair for pair in _paired(active, candidate) if pair[0].blind]
    evidence = _clusters(before for before, _ in pairs if before.true_cells > 0)
    if len(evidence) < minimum:
        return Decision("not_enough_evidence", _too_few(len(evidence), minimum), len(pairs), len(evidence))
    changes, groups = _Comparison(pairs).changes(), _group_changes(pairs, minimum)
    outcome, reason = _verdict(changes, groups, len(pairs))
    return Decision(outcome, reason, len(pairs), len(evidence), changes, groups)


def _verdict(changes: Mapping[str, Change], groups: Mapping[str, Change], images: int) -> tuple[Outcome, str]:
    f1, miou, worse = changes["f1"], changes["miou"], _clearly_worse(changes, groups)
    figures = (
        f"F1 {_arrow(f1)} on {images} held-out images, 95% interval of the change {_interval(f1)}; "
        f"AP50 {_arrow(changes['ap50'])}, mean IoU with true boxes {_arrow(miou)}, "
        f"count error {_arrow(changes['count_error'])}"
    )
    if f1.candidate < f1.active - EQUAL:
        return "rejected", f"Not better: {figures}."
    if worse:
        return "rejected", f"Clearly worse: {'; '.join(worse)}. In all: {figures}."
    if f1.candidate > f1.active + EQUAL:
        return "promoted", f"Better: {figures}."
    if miou.candidate > miou.active + EQUAL:
        return "promoted", f"Masks are better: {figures}."
    return "rejected", f"No difference: {figures}."


def _clearly_worse(changes: Mapping[str, Change], groups: Mapping[str, Change]) -> list[str]:
    """What became clearly worse, in words. Of a count error less is better."""
    named = [(f"F1 on {name}", change) for name, change in groups.items()]
    named.append(("AP50", changes["ap50"]))
    if changes["miou"].active - changes["miou"].candidate > SLIGHT_MASK_LOSS + EQUAL:
        named.append(("masks from true boxes, mean IoU", changes["miou"]))
    words = [f"{name} {_arrow(change)}" for name, change in named if change.high < 0]
    count = changes["count_error"]
    return [*words, f"count error {_arrow(count)}"] if count.low > 0 else words


def _too_few(clusters: int, minimum: int) -> str:
    subject = "1 held-out image was" if clusters == 1 else f"{clusters} held-out images were"
    return (
        f"{subject} submitted with cells and labelled without seeing outlines, counting the frames of a movie as one; "
        f"{minimum} are needed to tell."
    )


def _paired(active: Sequence[ImageScore], candidate: Sequence[ImageScore]) -> list[Pair]:
    later = {score.image_id: score for score in candidate}
    if len(later) != len(candidate) or {score.image_id for score in active} != later.keys():
        raise ValueError("the two models were not measured on the same images")
    if len(active) != len(later):
        raise ValueError("an image was measured twice")
    return [(score, later[score.image_id]) for score in sorted(active, key=lambda score: score.image_id)]


def _clusters(scores: Iterable[ImageScore]) -> list[str]:
    return sorted({score.cluster or score.image_id for score in scores})


class _Comparison:
    """Both models on the same images, with one set of resamples for all figures: clusters are drawn, images follow."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._before, self._after = [a for a, _ in pairs], [c for _, c in pairs]
        names = _clusters(self._before)
        place = {name: index for index, name in enumerate(names)}
        members = [place[score.cluster or score.image_id] for score in self._before]
        drawn = np.random.default_rng(SEED).integers(0, len(names), size=(RESAMPLES, len(names)))
        times = np.apply_along_axis(np.bincount, 1, drawn, minlength=len(names))  # (RESAMPLES, clusters)
        self._weights = times[:, members].astype(np.float64)  # (RESAMPLES, images)

    def changes(self) -> dict[str, Change]:
        """Of each of FIGURES."""
        return {
            "f1": self.change(_f1),
            "ap50": self._change_of_ap50(),
            "miou": self.change(_miou),
            "count_error": self.change(_mean_count_error),
        }

    def change(self, figure: Callable[[Figures], Figures]) -> Change:
        """Of a figure of pooled sums."""
        before, after = _table(self._before), _table(self._after)
        differences = figure(self._weights @ after) - figure(self._weights @ before)
        whole = float(figure(before.sum(axis=0))), float(figure(after.sum(axis=0)))
        return _with_interval(*whole, differences)

    def _change_of_ap50(self) -> Change:
        """Of the average precision, which is no figure of sums: detections are ranked over images."""
        before, after = _Ranking(self._before), _Ranking(self._after)
        differences = after.average_precision(self._weights) - before.average_precision(self._weights)
        whole = average_precision(self._before), average_precision(self._after)
        return _with_interval(*whole, differences)


class _Ranking:
    """The detections of a model in all images, best score first."""

    def __init__(self, scores: Sequence[ImageScore]) -> None:
        rows = [(score, hit, index) for index, s in enumerate(scores) for score, hit in s.detections]
        table = np.asarray(rows, dtype=np.float64).reshape(-1, 3)
        table = table[np.argsort(-table[:, 0], kind="stable")]
        self._hits, self._image = table[:, 1], table[:, 2].astype(np.intp)
        self._true_cells = np.asarray([score.true_cells for score in scores], dtype=np.float64)

    def average_precision(self, weights: Figures) -> Figures:
        """(n, images) how often each image counts -> (n,) average precision of each."""
        at_once = max(1, NUMBERS_AT_ONCE // max(1, len(self._image)))
        starts = range(0, len(weights), at_once)
        return np.concatenate([self._of_some(weights[start : start + at_once]) for start in starts])

    def _of_some(self, weights: Figures) -> Figures:
        counted = np.take(weights, self._image, axis=1)  # (n, detections)
        hits = counted * self._hits
        found = counted.sum(axis=1)
        ranked = np.cumsum(counted, axis=1, out=counted)
        # In place: memory, not arithmetic, is what this takes its time for.
        precision = np.cumsum(hits, axis=1)
        np.divide(precision, np.maximum(ranked, 1, out=ranked), out=precision)
        from_the_last = precision[:, ::-1]
        np.maximum.accumulate(from_the_last, axis=1, out=from_the_last)
        to_find = weights @ self._true_cells
        area = np.multiply(precision, hits, out=hits).sum(axis=1) / np.maximum(to_find, 1)
        # Two detections may hit one cell of those that people let overlap: no more than all is found.
        return np.where(to_find > 0, np.minimum(area, 1.0), np.where(found > 0, 0.0, 1.0))


def _table(scores: Sequence[ImageScore]) -> Figures:
    """(n, 7) true_positive, false_positive, false_negative, iou_sum, prompted, count_error, 1 of each image."""
    rows = [
        (s.true_positive, s.false_positive, s.false_negative, s.iou_sum, s.prompted, s.count_error, 1)
        for s in scores
    ]
    return np.asarray(rows, dtype=np.float64).reshape(-1, 7)


def _f1(sums: Figures) -> Figures:
    """(..., 7) sums -> (...) pooled F1; 1 where there is nothing to find and nothing was found."""
    total = 2 * sums[..., 0] + sums[..., 1] + sums[..., 2]
    return np.where(total > 0, 2 * sums[..., 0] / np.maximum(total, 1), 1.0)


def _miou(sums: Figures) -> Figures:
    """(..., 7) sums -> (...) mean IoU with true boxes."""
    return np.asarray(sums[..., 3] / np.maximum(sums[..., 4], 1), dtype=np.float64)


def _mean_count_error(sums: Figures) -> Figures:
    """(..., 7) sums -> (...) mean over images of the share of cells too many or too few."""
    return np.asarray(sums[..., 5] / np.maximum(sums[..., 6], 1), dtype=np.float64)


def _with_interval(active: float, candidate: float, differences: Figures) -> Change:
    low, high = np.percentile(differences, INTERVAL)
    return Change(active, candidate, float(low), float(high))


def _group_changes(pairs: Sequence[Pair], minimum: int) -> dict[str, Change]:
    """The change of F1 in each group that has enough independent images to tell."""
    names = sorted({before.group for before, _ in pairs})
    members = {name: [pair for pair in pairs if pair[0].group == name] for name in names}
    return {
        name: _Comparison(group).change(_f1)
        for name, group in members.items()
        if len(_clusters(before for before, _ in group)) >= minimum
    }


def _arrow(change: Change) -> str:
    return f"{change.active:.3f} → {change.candidate:.3f}"


def _interval(change: Change) -> str:
    return f"{change.low:+.3f} to {change.high:+.3f}"
