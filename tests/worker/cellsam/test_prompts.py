"""What can be asked of the mask decoder in one call, by a model that takes boxes and points."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

from labeling.rle import BoxMask
from tests.worker.cellsam.test_robustness import PAPER_SMALL, noise
from worker.cellsam import Features, Predictor
from worker.cellsam.build import build
from worker.cellsam.predictor import PromptError


@pytest.fixture(scope="module")
def clicked() -> Predictor:
    torch.manual_seed(3)
    return Predictor(build(PAPER_SMALL))


@pytest.fixture(scope="module")
def features(clicked: Predictor) -> Features:
    """Of two tiles."""
    return clicked.embed(noise(60, 100))


BOXES = [[5, 5, 25, 30], None, None, [60, 10, 95, 50], [10, 20, 40, 50], None]
POINTS: list[list[tuple[float, float, int]]] = [
    [],
    [(20, 20, 1)],
    [(70, 30, 1), (60, 20, 1), (50, 50, 0)],
    [(80, 30, 1), (62, 12, 0)],
    [(20, 30, 1)],
    [(90, 40, 1)],
]


def test_a_prompts_mask_does_not_depend_on_the_others_of_the_call(
    clicked: Predictor, features: Features
) -> None:
    masks, scores = clicked.decode(features, boxes=BOXES, points=POINTS)

    assert len(masks) == len(scores) == len(BOXES)
    for box, points, mask, score in zip(BOXES, POINTS, masks, scores, strict=True):
        (alone,), (its_score,) = clicked.decode(features, boxes=[box], points=[points])
        assert mask.iou(alone) > 0.99
        assert score == pytest.approx(its_score, abs=1e-4)
    assert len({mask.rle for mask in masks}) == len(masks)


def test_an_order_of_prompts_is_the_order_of_their_masks(clicked: Predictor, features: Features) -> None:
    masks, scores = clicked.decode(features, boxes=BOXES, points=POINTS)

    backwards, their_scores = clicked.decode(features, boxes=BOXES[::-1], points=POINTS[::-1])

    assert np.allclose(scores, their_scores[::-1], atol=1e-4)
    assert min(a.iou(b) for a, b in zip(masks, backwards[::-1], strict=True)) > 0.99


def test_a_further_point_matters(clicked: Predictor, features: Features) -> None:
    one, two, background = [[(20, 20, 1)], [(20, 20, 1), (30, 30, 1)], [(20, 20, 1), (30, 30, 0)]]

    _, scores = clicked.decode(features, points=[one, two, background])

    assert len(set(scores.tolist())) == 3


def test_threads_share_a_predictor_and_what_it_keeps(clicked: Predictor, features: Features) -> None:
    kept = clicked.embed_neck(features)

    def work(row: int) -> tuple[list[BoxMask], float]:
        masks, scores = clicked.decode(kept, boxes=[BOXES[row]], points=[POINTS[row]])
        return masks, float(scores[0])

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(work, [*range(len(BOXES))] * 3))

    assert together == [work(row) for row in range(len(BOXES))] * 3


def test_arrays_are_taken_as_lists_are(clicked: Predictor, features: Features) -> None:
    boxes = np.array([[5, 5, 25, 30], [60, 10, 95, 50]])
    points = np.array([[[20, 20, 1]], [[80, 30, 0]]])

    masks, _ = clicked.decode(features, boxes=boxes, points=points)

    assert masks == clicked.decode(features, boxes=boxes.tolist(), points=points.tolist())[0]


@pytest.mark.parametrize("prompts", [{"boxes": []}, {"points": []}, {"boxes": [], "points": []}])
def test_no_prompts_give_no_masks(
    clicked: Predictor, features: Features, prompts: dict[str, list[Any]]
) -> None:
    masks, scores = clicked.decode(features, **prompts)
    assert masks == []
    assert scores.shape == (0,)


@pytest.mark.parametrize(
    ("prompts", "reason"),
    [
        ({}, "a box, points, or both"),
        ({"boxes": [[5, 5, 9, 9]], "points": [[(1, 1, 1)], [(2, 2, 1)]]}, "1 boxes, but points for 2"),
        ({"boxes": [None], "points": [[]]}, "prompt 1 has neither"),
        ({"boxes": [[5, 5, 9, 9], None]}, "prompt 2 has neither"),
        ({"boxes": [5, 5, 9, 9]}, r"shape \(N, 4\)"),
        ({"boxes": [["a", "b", "c", "d"]]}, r"shape \(N, 4\)"),
        ({"boxes": 7}, "one by one"),
        ({"points": [(1, 1, 1)]}, r"shape \(P, 3\)"),
        ({"points": [[(1, 1)]]}, r"shape \(P, 3\)"),
        ({"points": [[(1, 1, 2)]]}, "label is 1"),
        ({"points": [[(101, 1, 1)]]}, "outside the image"),
        ({"points": [[(np.nan, 1, 1)]]}, "outside the image"),
    ],
)
def test_it_names_what_is_wrong_with_a_prompt(
    clicked: Predictor, features: Features, prompts: dict[str, Any], reason: str
) -> None:
    with pytest.raises(PromptError, match=reason):
        clicked.decode(features, **prompts)
