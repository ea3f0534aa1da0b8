"""Average precision is COCO's: checked against the reference implementation, and by hand."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from labeling.rle import BoxMask
from worker.cellsam.evaluate.average_precision import (
    MAX_DETECTIONS,
    Detections,
    average_precisions,
    box_ious,
    mask_ious,
    match_detections,
)


class Scene:
    """Discs on a plane, some overlapping in truth, and detections: shifted, grown, doubled, invented."""

    SIZE = 96

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.labels = np.zeros((self.SIZE, self.SIZE), dtype=np.int32)
        self.masks: list[np.ndarray] = []
        for label in range(1, 13):
            centre, radius = random.uniform(8, 88, 2), random.uniform(4, 11)
            self.labels[self._disc(centre, radius)] = label
            for _ in range(int(random.integers(0, 3))):
                found = self._disc(centre + random.normal(0, 0.7, 2), radius * random.uniform(0.85, 1.15))
                self.masks.append(found)
        self.masks += [self._disc(random.uniform(0, 96, 2), 5.0) for _ in range(4)]
        # Few different scores: the order of equal ones must not matter for the comparison, so none are equal.
        self.scores = random.permutation(np.linspace(0.05, 0.95, len(self.masks))).astype(np.float32)

    def _disc(self, centre: np.ndarray, radius: float) -> np.ndarray:
        rows, columns = np.mgrid[: self.SIZE, : self.SIZE]
        return (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2

    @property
    def true_masks(self) -> list[np.ndarray]:
        return [self.labels == label for label in np.unique(self.labels) if label > 0]


def box_masks(masks: list[np.ndarray]) -> list[BoxMask]:
    found = [BoxMask.from_mask(mask) for mask in masks]
    return [mask for mask in found if mask is not None]


def boxes(masks: list[np.ndarray]) -> np.ndarray:
    return np.array([mask.box for mask in box_masks(masks)], dtype=np.float64)


def reference(scenes: list[Scene], kind: str) -> list[float]:
    """AP at each IoU by pycocotools, with 10,000 detections an image."""
    truth = [(image, mask) for image, scene in enumerate(scenes) for mask in scene.true_masks]
    found = [
        (image, mask, float(score))
        for image, scene in enumerate(scenes)
        for mask, score in zip(scene.masks, scene.scores, strict=True)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [
                {"id": image, "height": Scene.SIZE, "width": Scene.SIZE} for image in range(len(scenes))
            ],
            "categories": [{"id": 1, "name": "cell"}],
            "annotations": [
                {"id": number, "iscrowd": 0, **annotation(image, mask)}
                for number, (image, mask) in enumerate(truth, start=1)
            ],
        }
        coco.createIndex()
        results = coco.loadRes([{"score": score, **annotation(image, mask)} for image, mask, score in found])
        evaluation = COCOeval(coco, results, kind)
        evaluation.params.maxDets = [MAX_DETECTIONS]
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    return [float(value) for value in evaluation.eval["precision"][:, :, 0, 0, 0].mean(axis=1)]


def annotation(image: int, mask: np.ndarray) -> dict[str, Any]:
    encoded = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    (found,) = box_masks([mask])
    x0, y0, x1, y1 = found.box
    return {
        "image_id": image,
        "category_id": 1,
        "segmentation": encoded,
        "area": int(mask.sum()),
        "bbox": [x0, y0, x1 - x0, y1 - y0],
    }


@pytest.mark.parametrize("kind", ["segm", "bbox"])
def test_it_is_that_of_the_reference(kind: str) -> None:
    scenes = [Scene(seed) for seed in range(5)]
    ours = []
    for scene in scenes:
        if kind == "segm":
            iou = mask_ious(box_masks(scene.masks), scene.labels)
        else:
            iou = box_ious(boxes(scene.masks), boxes(scene.true_masks))
        ours.append(match_detections(iou, scene.scores))

    found = average_precisions(ours, [len(scene.true_masks) for scene in scenes])

    assert found == pytest.approx(reference(scenes, kind), abs=1e-9)
    assert 0.2 < found.mean() < found[0] < 1


def of(*right: bool, best: float = 1.0) -> Detections:
    scores = np.linspace(best, best / 2, len(right)).astype(np.float32)
    return Detections(scores, np.tile(np.array(right), (10, 1)))


def test_a_perfect_ranking_is_one() -> None:
    assert average_precisions([of(True, True, False)], [2]) == pytest.approx(np.ones(10))


def test_the_missed_count() -> None:
    assert average_precisions([of(True)], [2]) == pytest.approx(np.full(10, 51 / 101))


def test_without_true_cells_there_is_none_and_without_detections_it_is_zero() -> None:
    assert np.isnan(average_precisions([of(False)], [0])).all()
    assert average_precisions([Detections.none()], [3]).tolist() == [0] * 10


def test_a_weight_is_as_many_copies_of_the_image() -> None:
    images, cells = [of(True, False, True), of(False, True, best=0.9)], [3, 2]

    weighted = average_precisions(images, cells, np.array([3.0, 1.0]))

    assert weighted == pytest.approx(average_precisions([*images, images[0], images[0]], [3, 2, 3, 3]))


def test_a_true_box_is_matched_once_by_the_best_score() -> None:
    true = np.array([[0, 0, 10, 10]])
    found = np.array([[0, 0, 10, 9], [0, 0, 10, 10]])

    matched = match_detections(box_ious(found, true), np.array([0.3, 0.9]))

    assert matched.scores.tolist() == pytest.approx([0.9, 0.3])
    assert matched.right[0].tolist() == [True, False]


def test_detections_beyond_the_limit_are_cut_off_worst_first() -> None:
    scores = np.linspace(0, 1, MAX_DETECTIONS + 5)
    iou = np.zeros((len(scores), 1))
    iou[0] = 1.0  # the one of the lowest score

    matched = match_detections(iou, scores)

    assert len(matched.scores) == MAX_DETECTIONS
    assert not matched.right.any()
