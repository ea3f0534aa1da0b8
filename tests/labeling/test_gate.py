"""The gate, both ways."""

import random

import pytest

from labeling.gate import Decision, ImageScore, decide, summary


def score(number: int, tp: int, fp: int, fn: int, *, iou: float = 0.8, group: str = "nuclei") -> ImageScore:
    prompted = tp + fn
    return ImageScore(f"image{number}", group, tp, fp, fn, iou * prompted, prompted)


def scores(
    tp: int, fp: int, fn: int, *, n: int = 8, iou: float = 0.8, group: str = "nuclei"
) -> list[ImageScore]:
    return [score(number, tp, fp, fn, iou=iou, group=group) for number in range(n)]


def test_a_better_model_is_promoted():
    decision = decide(scores(50, 20, 20), scores(60, 10, 10))
    assert decision.outcome == "promoted"
    assert "0.714 → 0.857" in decision.reason
    assert "8 held-out images" in decision.reason


def test_a_worse_model_is_rejected():
    decision = decide(scores(60, 10, 10), scores(50, 20, 20))
    assert decision.outcome == "rejected"
    assert decision.f1 is not None
    assert decision.f1.candidate < decision.f1.active


def test_the_same_model_is_rejected():
    assert decide(scores(60, 10, 10), scores(60, 10, 10)).outcome == "rejected"


def test_a_tie_with_better_masks_is_promoted():
    decision = decide(scores(60, 10, 10, iou=0.80), scores(60, 10, 10, iou=0.83))
    assert decision.outcome == "promoted"
    assert "0.800 → 0.830" in decision.reason


def test_a_tie_with_worse_masks_is_rejected():
    assert decide(scores(60, 10, 10, iou=0.80), scores(60, 10, 10, iou=0.79)).outcome == "rejected"


def test_a_better_f1_with_clearly_worse_masks_is_rejected():
    decision = decide(scores(50, 20, 20, iou=0.85), scores(60, 10, 10, iou=0.70))
    assert decision.outcome == "rejected"
    assert "Masks" in decision.reason


def test_a_group_that_becomes_clearly_worse_rejects():
    active = scores(50, 20, 20, n=10) + [score(100 + n, 20, 2, 2, group="H&E") for n in range(5)]
    candidate = scores(65, 5, 5, n=10) + [score(100 + n, 12, 10, 10, group="H&E") for n in range(5)]
    decision = decide(active, candidate)
    assert decision.outcome == "rejected"
    assert "H&E" in decision.reason


def test_one_bad_image_is_no_clear_proof():
    """A group with a single image is too small to tell; the pooled figure decides."""
    active = [*scores(50, 20, 20, n=10), score(100, 5, 0, 0, group="H&E")]
    candidate = [*scores(65, 5, 5, n=10), score(100, 4, 1, 1, group="H&E")]
    assert decide(active, candidate).outcome == "promoted"


@pytest.mark.parametrize("images", [0, 1, 4])
def test_fewer_than_five_images_are_not_enough(images: int):
    decision = decide(scores(50, 20, 20, n=images), scores(69, 1, 1, n=images))
    assert decision.outcome == "not_enough_evidence"
    assert "5 are needed" in decision.reason


def test_images_without_a_cell_are_no_evidence():
    empty = scores(0, 0, 0, n=8)
    assert decide(empty, empty).outcome == "not_enough_evidence"


def test_the_order_of_the_images_does_not_matter():
    rng = random.Random(3)
    active = [score(n, rng.randint(10, 50), rng.randint(0, 20), rng.randint(0, 20)) for n in range(9)]
    candidate = [score(n, rng.randint(10, 50), rng.randint(0, 20), rng.randint(0, 20)) for n in range(9)]
    first: Decision = decide(active, candidate)
    assert decide(active[::-1], candidate[3:] + candidate[:3]) == first


def test_other_images_are_refused():
    with pytest.raises(ValueError, match="same images"):
        decide(scores(1, 1, 1, n=6), scores(1, 1, 1, n=7))


def test_the_summary_pools_over_images():
    figures = summary([score(0, 10, 0, 0, iou=0.9), score(1, 0, 10, 10, iou=0.5)])
    assert figures["f1"] == pytest.approx(0.5)
    assert figures["miou"] == pytest.approx(0.7)
    assert figures["count_error"] == 0.0


def test_the_summary_of_no_image_is_defined():
    assert summary([])["f1"] == 1.0
