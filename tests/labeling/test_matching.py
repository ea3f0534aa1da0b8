"""Object-level agreement: matches are one to one, and the figures are those of a count by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from labeling.matching import Counts, best_ious, count_matches, iou_matrix, pooled_f1

label_maps = hnp.arrays(np.int32, (9, 7), elements=st.integers(0, 4))


def squares(*labels_and_boxes: tuple[int, int, int, int, int]) -> np.ndarray:
    labels = np.zeros((20, 30), dtype=np.int32)
    for label, x0, y0, x1, y1 in labels_and_boxes:
        labels[y0:y1, x0:x1] = label
    return labels


def test_it_works() -> None:
    true = squares((1, 0, 0, 10, 10), (2, 15, 0, 25, 10))
    predicted = squares((7, 0, 0, 10, 9), (3, 15, 0, 20, 10), (9, 0, 15, 5, 20))
    counts = count_matches(true, predicted)
    assert counts == Counts(true_positive=1, false_positive=2, false_negative=1)
    assert (counts.precision, counts.recall, counts.f1) == (1 / 3, 1 / 2, 2 / 5)
    assert iou_matrix(true, predicted) == pytest.approx(np.array([[0, 0.9, 0], [0.5, 0, 0]]))
    assert best_ious(true, predicted) == pytest.approx([0.9, 0.5])


@given(label_maps, label_maps)
def test_iou_is_that_of_the_pixels(true: NDArray[Any], predicted: NDArray[Any]) -> None:
    iou = iou_matrix(true, predicted)
    true_ids = [i for i in np.unique(true) if i > 0]
    predicted_ids = [i for i in np.unique(predicted) if i > 0]
    expected = [
        [
            ((true == t) & (predicted == p)).sum() / ((true == t) | (predicted == p)).sum()
            for p in predicted_ids
        ]
        for t in true_ids
    ]
    assert iou == pytest.approx(np.array(expected).reshape(len(true_ids), len(predicted_ids)))


@given(label_maps, label_maps, st.sampled_from([0.5, 0.6, 0.9]))
def test_matches_are_one_to_one_and_symmetric(
    true: NDArray[Any], predicted: NDArray[Any], threshold: float
) -> None:
    matched = iou_matrix(true, predicted) > threshold
    assert (matched.sum(axis=0) <= 1).all()
    assert (matched.sum(axis=1) <= 1).all()
    there = count_matches(true, predicted, threshold=threshold)
    back = count_matches(predicted, true, threshold=threshold)
    assert (there.true_positive, there.false_positive) == (back.true_positive, back.false_negative)
    assert there.f1 == back.f1


@given(label_maps, st.permutations(range(1, 5)))
def test_numbering_does_not_matter(labels: NDArray[Any], order: list[int]) -> None:
    renumbered = np.array([0, *order], dtype=np.int32)[labels]
    cells = len(np.unique(labels[labels > 0]))
    assert count_matches(labels, renumbered) == Counts(true_positive=cells)


def test_two_empty_images_agree() -> None:
    empty = squares()
    assert count_matches(empty, empty).f1 == 1.0
    assert count_matches(empty, squares((1, 0, 0, 5, 5))).f1 == 0.0
    assert best_ious(squares((1, 0, 0, 5, 5)), empty).tolist() == [0.0]


def test_counts_are_pooled_over_images_not_averaged() -> None:
    assert pooled_f1([Counts(9, 0, 0), Counts(0, 1, 1)]) == 18 / 20
    assert pooled_f1([]) == 1.0


def test_it_rejects_what_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="shape"):
        iou_matrix(np.zeros((2, 3), dtype=int), np.zeros((3, 2), dtype=int))
    with pytest.raises(ValueError, match="under"):
        count_matches(squares(), squares(), threshold=0.4)
