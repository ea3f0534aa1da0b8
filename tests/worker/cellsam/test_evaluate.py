from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from labeling.matching import Counts, count_matches
from labeling.simulate import Simulated, simulate
from tests.worker.cellsam.parity_weights import weights
from tests.worker.cellsam.test_released_weights import ADVERSARIAL
from worker.cellsam import CellSAM, Features, Predictor
from worker.cellsam.build import build
from worker.cellsam.calibration import calibrate
from worker.cellsam.config import Thresholds
from worker.cellsam.evaluate import (
    COCO_IOUS,
    FIGURES,
    Detections,
    Evaluation,
    ImageResult,
    Sample,
    compare,
    evaluate,
    interval,
    measure_labels,
)
from worker.cellsam.released_weights import released_name


def detections(*right: bool) -> Detections:
    scores = np.linspace(1, 0.5, len(right)).astype(np.float32)
    return Detections(scores, np.tile(np.array(right, dtype=bool), (len(COCO_IOUS), 1)))


def result(
    name: str, tp: int, fp: int, fn: int, group: str = "a", right: tuple[bool, ...] = (), dataset: str = "x"
) -> ImageResult:
    return ImageResult(
        name=name,
        group=group,
        counts=Counts(tp, fp, fn),
        predicted=tp + fp,
        ious=(0.8,) * (tp + fn),
        boxes=detections(*right),
        masks=detections(*right),
        tags={"dataset": dataset},
    )


def test_it_measures_an_image(predictor: Predictor, nuclei: Simulated, nuclei_features: Features) -> None:
    evaluation = evaluate(predictor, [Sample("one", "nuclei", nuclei_features, nuclei.labels)])

    summary = evaluation.summary()
    assert summary.cells == nuclei.labels.max()
    assert summary.f1 > 0.5
    assert summary.mean_iou_true_boxes > 0.6
    assert 0.5 < summary.box_ap50 <= 1
    assert 0.4 < summary.mask_map < summary.mask_ap50 <= 1
    assert summary.f1_low == summary.f1_high == pytest.approx(summary.f1)
    assert evaluation.summary("nuclei") == summary


def test_counts_are_those_of_the_whole_pipeline_whatever_the_floor_of_ap(
    predictor: Predictor,
) -> None:
    """Masks under the box threshold count for average precision alone."""
    nuclei = simulate("nuclei", height=96, width=96, cells=8, seed=2)
    sample = Sample("one", "nuclei", predictor.embed(nuclei.image[0]), nuclei.labels)
    found = predictor.segment_features(sample.features)

    reported = evaluate(predictor, [sample]).images[0]
    low = evaluate(predictor, [sample], floor=0.2).images[0]

    assert reported.counts == low.counts == count_matches(nuclei.labels, found.labels)
    assert reported.predicted == low.predicted == len(found.masks)
    assert len(reported.masks.scores) == len(found.masks)
    assert len(low.masks.scores) > len(found.masks)


def test_counts_are_pooled_and_given_by_group() -> None:
    evaluation = Evaluation((result("1", 8, 0, 2), result("2", 1, 3, 1, group="b")))

    assert evaluation.groups == ("a", "b")
    assert evaluation.summary().f1 == pytest.approx(2 * 9 / (2 * 9 + 3 + 3))
    assert evaluation.summary("b").precision == 0.25
    assert evaluation.summary().count_error == pytest.approx((0.2 + 1.0) / 2)


def test_the_mean_over_images_weighs_each_image_the_same() -> None:
    evaluation = Evaluation((result("1", 90, 10, 0), result("2", 1, 0, 1), result("empty", 0, 0, 0)))

    assert evaluation.figure("f1_image_mean") == pytest.approx((180 / 190 + 2 / 3) / 2)
    assert evaluation.figure("f1") == pytest.approx(182 / 193)


def test_parts_are_by_a_tag() -> None:
    evaluation = Evaluation((result("1", 8, 0, 2), result("2", 1, 3, 1, dataset="y"), result("3", 1, 0, 0)))

    parts = evaluation.by("dataset")

    assert [(name, len(part.images)) for name, part in parts.items()] == [("x", 2), ("y", 1)]
    assert parts["x"].figure("recall") == pytest.approx(9 / 11)


def test_images_without_cells_change_nothing() -> None:
    with_empty = Evaluation((result("1", 8, 1, 2, right=(True,)), result("2", 0, 0, 0)))
    alone = Evaluation((result("1", 8, 1, 2, right=(True,)),))

    assert {name: with_empty.figure(name) for name in FIGURES} == {
        name: alone.figure(name) for name in FIGURES
    }


def test_nothing_at_all_is_not_a_number() -> None:
    summary = Evaluation(()).summary()
    assert math.isnan(summary.mean_iou_true_boxes)
    assert math.isnan(summary.mask_map)
    assert math.isnan(summary.f1_low)


def test_a_label_map_of_another_method_has_confidence_one() -> None:
    labels = np.zeros((20, 30), dtype=np.int32)
    labels[2:10, 2:10], labels[2:10, 15:25] = 1, 2
    predicted = np.zeros_like(labels)
    predicted[2:10, 2:9], predicted[12:18, 15:25] = 5, 9

    measured = measure_labels("one", "a", labels, predicted)

    assert measured.counts == Counts(1, 1, 1)
    assert measured.predicted == 2
    assert measured.ious == ()
    assert measured.masks.scores.tolist() == [1, 1]
    # The first covers 7/8 of its cell, in its mask and in its box: right up to an IoU of 0.85.
    for found in (measured.masks, measured.boxes):
        assert found.right.sum(axis=1).tolist() == [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]


def test_the_bootstrap_is_seeded_and_holds_the_figure() -> None:
    evaluation = Evaluation(tuple(result(str(i), 5 + i % 3, i % 2, i % 4) for i in range(12)))

    low, high = evaluation.interval("f1")

    assert (low, high) == evaluation.interval("f1")
    assert low < evaluation.figure("f1") < high


def test_the_bootstrap_resamples_whole_images() -> None:
    seen: list[np.ndarray] = []

    def figure(weights: np.ndarray) -> float:
        seen.append(weights)
        return float(weights[0])

    interval(4, figure)

    assert {int(weights.sum()) for weights in seen} == {4}
    assert len({tuple(weights) for weights in seen}) > 20


def test_a_comparison_is_paired() -> None:
    a = Evaluation(tuple(result(str(i), 5, 2, 2, right=(True, False)) for i in range(8)))
    b = Evaluation(tuple(result(str(i), 6, 1, 1, right=(True, True)) for i in range(8)))

    for figure in ("f1", "mask_map"):
        found = compare(a, b, figure=figure)
        assert found.difference == pytest.approx(found.b - found.a)
        assert found.difference > 0
        assert found.low == pytest.approx(found.difference)
        assert found.high == pytest.approx(found.difference)
    with pytest.raises(ValueError, match="different images"):
        compare(a, Evaluation(a.images[:3]))


def test_calibration_finds_a_threshold_on_labelled_images(
    predictor: Predictor, nuclei: Simulated, nuclei_features: Features
) -> None:
    careless = Predictor(predictor.model, thresholds=Thresholds(box=0.05, iou=0.5))

    found = calibrate(careless, [(nuclei_features, nuclei.labels)])

    assert found.f1 >= max(found.f1_by_threshold.values()) - 0.01
    assert found.f1_by_threshold[0.5] == pytest.approx(
        evaluate(
            Predictor(predictor.model, thresholds=Thresholds(box=0.5, iou=0.5)),
            [Sample("one", "", nuclei_features, nuclei.labels)],
        )
        .summary()
        .f1
    )
    with pytest.raises(ValueError, match="no labelled images"):
        calibrate(predictor, [])


def test_calibration_tries_what_the_released_model_makes_of_a_threshold() -> None:
    """It adds a part that depends on the image, and paints cells over each other."""
    model, features = released_like()
    some = replace(model.config.thresholds, box=0.4)
    labels = Predictor(model, thresholds=some).segment_features(features).labels

    found = calibrate(Predictor(model), [(features, labels)])

    as_used = {}
    for box in found.f1_by_threshold:
        thresholds = replace(model.config.thresholds, box=box)
        cells = Predictor(model, thresholds=thresholds).segment_features(features).labels
        as_used[box] = count_matches(labels, cells).f1
    assert found.f1_by_threshold == pytest.approx(as_used)
    assert len(set(as_used.values())) > 2
    assert found.f1_by_threshold[0.4] == 1


def test_evaluation_with_a_floor_counts_the_same_cells() -> None:
    model, features = released_like()
    labels = Predictor(model).segment_features(features).labels
    predictor = Predictor(model, thresholds=replace(model.config.thresholds, box=0.6))
    sample = Sample("one", "", features, labels)

    (plain,), (floored,) = (evaluate(predictor, [sample], floor=floor).images for floor in (None, 0.3))

    assert (plain.counts, plain.predicted) == (floored.counts, floored.predicted)
    assert len(floored.masks.scores) > len(plain.masks.scores) > 0


def released_like() -> tuple[CellSAM, Features]:
    """A small model with two trunks and a threshold that the image moves, whose weights give scores and masks of all
    kinds, and an image's features.
    """
    config = replace(ADVERSARIAL, finder=replace(ADVERSARIAL.finder, queries=30))
    model = build(config)
    names = {name: released_name(name, config, second_sam=True) for name in model.state_dict()}
    shapes = [(names[name], tuple(tensor.shape)) for name, tensor in model.state_dict().items()]
    arrays = weights(shapes, class_bias=(-8, -10), iou_bias=0.5)
    model.load_state_dict({name: torch.from_numpy(np.asarray(arrays[names[name]])) for name in names})
    image = simulate("nuclei", height=128, width=128, cells=12, seed=1).image[0]
    return model, Predictor(model).embed(image[:100, :100])
