"""What each rung of the ladder buys on a data set, from how many corrected cells: what the loop's settings rest on.

Images of the train split, the middle of each, stand for corrected images; they are taken in a random order until they
hold so many cells, the fewer being part of the more. What a run holds back for its own threshold is among them. Figures
are of the other split, whole images; an action is what a person would have to do to each: draw a missed cell, delete a
false one, mend a mask under IoU 0.8.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np

from labeling.ladder import Rung
from labeling.matching import iou_matrix
from labeling.rle import masks_of_labels
from worker.cellsam.data.manifest import Entry
from worker.cellsam.evaluate import true_box_ious
from worker.cellsam.evaluate.side_by_side import EvaluationError, LabelledImage, read_images
from worker.cellsam.predictor import Predictor
from worker.cellsam.training.crops import separate
from worker.cellsam.tuning import Ladder, TuningConfig, TuningError, TuningSample

ZERO_SHOT = "zero-shot"
FOUND, GOOD, RIGHT = 0.5, 0.8, 0.6  # mask IoU: is the same cell, needs no mending, counts for F1
MIN_IMAGES = 4  # one is held back, and one would not be enough to learn from


@dataclass(frozen=True, slots=True)
class LadderExperiment:
    """`few`: images that may be learned from, `measured`: images to report."""

    few: Sequence[Entry]
    measured: Sequence[Entry]
    cells: Sequence[int]
    rungs: Sequence[Rung]
    config: TuningConfig
    side_px: int  # of the middles that are learned from, at most


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; `cells` of which the run learned or which it held back, `seconds` of tuning."""

    arm: str
    images: int
    cells: int
    f1: float
    mean_iou_true_boxes: float
    actions_per_cell: float
    missed: int
    false: int
    reshaped: int
    true_cells: int
    threshold: float
    seconds: float


def ladder_experiment(
    predictor: Predictor, experiment: LadderExperiment, *, progress: Callable[[str], None] = lambda _: None
) -> Iterator[Row]:
    """Zero-shot first, then each number of cells on each rung. Raises EvaluationError if there are too few cells."""
    measured = list(read_images(experiment.measured))
    progress(ZERO_SHOT)
    yield _measured(ZERO_SHOT, predictor, measured, [], 0.0)
    for wanted in sorted(set(experiment.cells)):
        samples = list(_samples(predictor, experiment, wanted))
        try:
            ladder, seconds = Ladder(predictor, samples, experiment.config), 0.0
            for rung in experiment.rungs:
                arm = f"{rung.name.lower()}, {wanted} cells"
                progress(arm)
                started = time.perf_counter()
                tuned = ladder.climb(rung)
                seconds += time.perf_counter() - started
                yield _measured(arm, tuned.predictor, measured, samples, seconds)
        except TuningError as error:
            raise EvaluationError(f"{wanted} cells: {error}") from error


def _samples(predictor: Predictor, experiment: LadderExperiment, wanted: int) -> Iterator[TuningSample]:
    """At least `MIN_IMAGES`, and until they hold the wanted cells."""
    order = np.random.default_rng(experiment.config.seed).permutation(len(experiment.few))
    images = cells = 0
    for index in order:
        if cells >= wanted and images >= MIN_IMAGES:
            return
        sample = _cut(predictor, experiment.few[index], experiment.side_px)
        images, cells = images + 1, cells + len(sample.cells)
        yield sample
    if cells < wanted:
        raise EvaluationError(f"there are {cells} cells to learn from, not {wanted}")


def _cut(predictor: Predictor, entry: Entry, side: int) -> TuningSample:
    """The middle of an image."""
    image = LabelledImage.read(entry)
    height, width = image.labels.shape
    top, left = max(0, height - side) // 2, max(0, width - side) // 2
    pixels = image.pixels[top : top + side, left : left + side]
    labels = separate(image.labels[top : top + side, left : left + side])
    return TuningSample(
        features=predictor.embed(pixels, image.roles, equalised=image.equalised),
        cells=[mask for _, mask in masks_of_labels(labels)],
        source=partial(_as_it_is, pixels, image.roles),
        equalised=image.equalised,
    )


def _as_it_is(pixels: np.ndarray, roles: Sequence[str]) -> tuple[np.ndarray, Sequence[str]]:
    return pixels, roles


def _measured(
    arm: str,
    predictor: Predictor,
    images: Iterable[LabelledImage],
    samples: Sequence[TuningSample],
    seconds: float,
) -> Row:
    right = found = true = missed = false = reshaped = 0
    ious: list[float] = []
    for image in images:
        features = image.features(predictor)
        iou = iou_matrix(image.labels, predictor.segment_features(features).labels)
        same = iou.max(axis=1, initial=0.0)
        same = same[same > FOUND]
        true, found = true + iou.shape[0], found + iou.shape[1]
        right += int(np.count_nonzero(iou > RIGHT))
        missed, false = missed + iou.shape[0] - len(same), false + iou.shape[1] - len(same)
        reshaped += int(np.count_nonzero(same < GOOD))
        ious += true_box_ious(predictor, features, [mask for _, mask in masks_of_labels(image.labels)])
    return Row(
        arm=arm,
        images=len(samples),
        cells=sum(len(sample.cells) for sample in samples),
        f1=2 * right / max(1, true + found),
        mean_iou_true_boxes=float(np.mean(ious)),
        actions_per_cell=(missed + false + reshaped) / max(1, true),
        missed=missed,
        false=false,
        reshaped=reshaped,
        true_cells=true,
        threshold=predictor.thresholds.box,
        seconds=seconds,
    )


def ladder_rows(rows: Iterable[Row]) -> list[dict[str, object]]:
    """For tables: rounded."""
    return [
        {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(row).items()}
        for row in rows
    ]
