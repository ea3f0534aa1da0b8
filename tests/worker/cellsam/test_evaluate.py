from __future__ import annotations

import math

import numpy as np
import pytest

from labeling.matching import Counts
from labeling.simulate import Simulated
from worker.cellsam import Features, Predictor
from worker.cellsam.calibration import calibrate
from worker.cellsam.config import Thresholds
from worker.cellsam.evaluate import (
    Evaluation,
    ImageResult,
    Sample,
    average_precision,
    compare,
    evaluate,
    interval,
    match_boxes,
    pooled_f1,
)


def result(
    name: str, tp: int, fp: int, fn: int, group: str = "a", right: tuple[bool, ...] = ()
) -> ImageResult:
    scores = np.linspace(1, 0.5, len(right)).astype(np.float32)
    detections = (scores, np.array(right, dtype=bool))
    return ImageResult(name, group, Counts(tp, fp, fn), tp + fp, (0.8,) * (tp + fn), detections)


def test_it_measures_an_image(predictor: Predictor, nuclei: Simulated, nuclei_features: Features) -> None:
    evaluation = evaluate(predictor, [Sample("one", "nuclei", nuclei_features, nuclei.labels)])

    summary = evaluation.summary()
    assert summary.cells == nuclei.labels.max()
    assert summary.f1 > 0.5
    assert summary.mean_iou_true_boxes > 0.6
    assert 0.5 < summary.box_ap50 <= 1
    assert summary.f1_low == summary.f1_high == pytest.approx(summary.f1)
    assert evaluation.summary("nuclei") == summary


def test_counts_are_pooled_and_given_by_group() -> None:
    evaluation = Evaluation((result("1", 8, 0, 2), result("2", 1, 3, 1, group="b")))

    assert evaluation.groups == ("a", "b")
    assert evaluation.summary().f1 == pytest.approx(2 * 9 / (2 * 9 + 3 + 3))
    assert evaluation.summary("b").precision == 0.25
    assert evaluation.summary().count_error == pytest.approx((0.2 + 1.0) / 2)


def test_images_without_cells_change_nothing() -> None:
    with_empty = Evaluation((result("1", 8, 1, 2), result("2", 0, 0, 0)))
    alone = Evaluation((result("1", 8, 1, 2),))

    for figure in ("f1", "precision", "recall", "count_error", "mean_iou_true_boxes"):
        assert getattr(with_empty.summary(), figure) == getattr(alone.summary(), figure)


def test_nothing_at_all_is_not_a_number() -> None:
    summary = Evaluation(()).summary()
    assert math.isnan(summary.mean_iou_true_boxes)
    assert math.isnan(summary.f1_low)


def test_average_precision_of_a_perfect_ranking_is_one() -> None:
    assert average_precision([result("1", 2, 1, 0, right=(True, True, False))]) == pytest.approx(1)


def test_average_precision_counts_the_missed() -> None:
    assert average_precision([result("1", 1, 0, 1, right=(True,))]) == pytest.approx(51 / 101)


def test_a_true_box_is_matched_once_by_the_best() -> None:
    true = np.array([[0, 0, 10, 10]], dtype=np.float32)
    boxes = np.array([[0, 0, 10, 9], [0, 0, 10, 10]], dtype=np.float32)

    scores, right = match_boxes(boxes, np.array([0.3, 0.9], dtype=np.float32), true)

    assert scores.tolist() == pytest.approx([0.9, 0.3])
    assert right.tolist() == [True, False]


def test_the_bootstrap_is_seeded_and_holds_the_figure() -> None:
    images = [result(str(i), 5 + i % 3, i % 2, i % 4) for i in range(12)]

    low, high = interval(images, pooled_f1)

    assert (low, high) == interval(images, pooled_f1)
    assert low < pooled_f1(images) < high


def test_a_comparison_is_paired() -> None:
    a = Evaluation(tuple(result(str(i), 5, 2, 2) for i in range(8)))
    b = Evaluation(tuple(result(str(i), 6, 1, 1) for i in range(8)))

    found = compare(a, b)

    assert found.difference == pytest.approx(found.f1_b - found.f1_a)
    assert found.low == found.high == pytest.approx(found.difference)
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
