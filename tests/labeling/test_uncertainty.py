"""How unsure a model is about an image."""

from __future__ import annotations

import numpy as np
import pytest

from labeling.rle import BoxMask
from labeling.uncertainty import NOTHING_FOUND, Evidence, disagreement, doubt, uncertainty
from tests.factories import square


def said(scores: list[float], *ious: float, threshold: float = 0.4) -> Evidence:
    return Evidence(np.array(scores, np.float32), threshold, np.array(ious, np.float32))


def test_scores_at_the_threshold_are_the_most_doubtful():
    certain, near, at = (doubt(np.array([score] * 5), 0.4) for score in (0.98, 0.6, 0.4))
    assert certain < near < at == pytest.approx(1)


def test_a_box_just_under_the_threshold_is_doubted_as_one_just_above():
    assert doubt(np.array([0.9, 0.5, 0.42]), 0.4) == pytest.approx(
        doubt(np.array([0.9, 0.5, 0.42, 1e-9]), 0.4)
    )
    assert doubt(np.array([0.9, 0.9, 0.38]), 0.4) > doubt(np.array([0.9, 0.9]), 0.4)


def test_the_wrong_decisions_to_expect_are_those_of_calibrated_scores():
    """At a threshold of 1/2 a score is its own probability: here 0.2 + 0.1 wrong ones among 1.7 cells."""
    assert doubt(np.array([0.8, 0.9]), 0.5) == pytest.approx(0.3 / 1.7)


def test_scores_of_nought_and_one_have_no_infinite_logit():
    assert doubt(np.array([0.0, 1.0]), 0.4) == pytest.approx(0, abs=1e-4)


def test_loose_masks_make_an_image_more_uncertain():
    assert uncertainty(said([0.9], 0.6)) > uncertainty(said([0.9], 0.95))


def test_two_versions_that_disagree_make_it_more_uncertain():
    evidence = said([0.9], 0.95)
    assert (
        uncertainty(evidence, disagreement=1.0)
        > uncertainty(evidence)
        > uncertainty(evidence, disagreement=0.0)
    )


def test_an_image_without_a_cell_is_empty_or_missed():
    assert uncertainty(said([])) == NOTHING_FOUND
    assert uncertainty(said([0.39])) == NOTHING_FOUND
    assert uncertainty(said([]), disagreement=1.0) == pytest.approx((NOTHING_FOUND + 1) / 2)


@pytest.mark.parametrize("threshold", [0.0, 0.4, 1.0])
def test_it_is_a_share(threshold: float):
    random = np.random.default_rng(0)
    for _ in range(20):
        evidence = Evidence(random.random(30), threshold, random.random(20))
        assert 0 <= uncertainty(evidence, disagreement=float(random.random())) <= 1


def test_disagreement_is_what_two_answers_do_not_share():
    def cells(*places: int) -> list[BoxMask]:
        return [square(place, 0, 10) for place in places]

    assert disagreement([], []) == 0
    assert disagreement(cells(0, 20), cells(0, 20)) == 0
    assert disagreement(cells(0, 20), cells(0, 40)) == pytest.approx(0.5)
    assert disagreement(cells(0), []) == 1
    assert disagreement(cells(0), cells(5)) == 1  # they overlap by a third: another cell
