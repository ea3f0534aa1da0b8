"""The gate, both ways."""

import random
from dataclasses import replace
from typing import Any

import pytest

from labeling.gate import Decision, ImageScore, average_precision, decide, summary


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
    assert decision.changes["f1"].candidate < decision.changes["f1"].active


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
    assert "masks from true boxes" in decision.reason


def test_a_better_f1_with_masks_that_are_surely_but_hardly_worse_is_promoted():
    assert decide(scores(50, 20, 20, iou=0.85), scores(60, 10, 10, iou=0.831)).outcome == "promoted"
    assert decide(scores(50, 20, 20, iou=0.85), scores(60, 10, 10, iou=0.829)).outcome == "rejected"


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


def changed(scores: list[ImageScore], **values: Any) -> list[ImageScore]:
    return [replace(score, **values) for score in scores]


def test_only_blind_images_decide():
    """On images that people labelled on top of its own outlines, the active model looks better than it is."""
    flattered = [score(n, 70, 0, 0) for n in range(20, 30)], [score(n, 50, 20, 20) for n in range(20, 30)]
    active = [*scores(50, 20, 20), *changed(flattered[0], blind=False)]
    candidate = [*scores(60, 10, 10), *changed(flattered[1], blind=False)]
    decision = decide(active, candidate)
    assert (decision.outcome, decision.images) == ("promoted", 8)


def test_images_that_nobody_labelled_blind_are_no_evidence():
    decision = decide(changed(scores(50, 20, 20), blind=False), changed(scores(69, 1, 1), blind=False))
    assert decision.outcome == "not_enough_evidence"
    assert "without seeing outlines" in decision.reason


def test_frames_of_one_movie_count_once():
    movie = [replace(score(n, 50, 20, 20), cluster="movie") for n in range(30)]
    better = [replace(score(n, 69, 1, 1), cluster="movie") for n in range(30)]
    assert decide(movie, better).outcome == "not_enough_evidence"
    singles = scores(50, 20, 20, n=4), scores(69, 1, 1, n=4)
    renamed = [replace(one, image_id=f"frame {n}") for n, one in enumerate(movie)]
    renamed_better = [replace(one, image_id=f"frame {n}") for n, one in enumerate(better)]
    decision = decide([*singles[0], *renamed], [*singles[1], *renamed_better])
    assert (decision.outcome, decision.images, decision.clusters) == ("promoted", 34, 5)


def test_a_movie_widens_the_interval_as_one_image_does():
    """Frames that share their fate say less than as many images of their own."""
    active = [score(n, 50, 10, 10) for n in range(20)]
    candidate = [score(n, 40 if n < 10 else 58, 10, 10) for n in range(20)]
    by_pairs = [f"movie {n // 5}" for n in range(20)]
    clustered = [
        [replace(one, cluster=name) for one, name in zip(side, by_pairs, strict=True)]
        for side in (active, candidate)
    ]
    alone = decide(active, candidate, minimum=4).changes["f1"]
    together = decide(clustered[0], clustered[1], minimum=4).changes["f1"]
    assert together.high - together.low > 1.2 * (alone.high - alone.low)


def detections(*hits: bool) -> tuple[tuple[float, bool], ...]:
    return tuple((1 - n / 100, hit) for n, hit in enumerate(hits))


@pytest.mark.parametrize(
    ("found", "true_cells", "area"),
    [
        ((True, True), 2, 1.0),
        ((True, False), 2, 0.5),
        ((False, True), 2, 0.25),  # half of the cells are found, at a precision of a half
        ((False, True, True), 2, 2 / 3),  # the precision at a recall of 1 holds for lower ones too
        ((), 2, 0.0),
        ((False,), 0, 0.0),
        ((), 0, 1.0),
    ],
)
def test_average_precision_is_the_area_under_the_curve(found: tuple[bool, ...], true_cells: int, area: float):
    one = replace(score(0, 0, 0, true_cells), detections=detections(*found))
    assert average_precision([one]) == pytest.approx(area)


def test_average_precision_ranks_detections_of_all_images_together():
    sure_and_right = replace(score(0, 1, 0, 0), detections=((0.9, True),))
    unsure_and_wrong = replace(score(1, 0, 1, 1), detections=((0.2, False),))
    sure_and_wrong = replace(score(1, 0, 1, 1), detections=((0.95, False),))
    assert average_precision([sure_and_right, unsure_and_wrong]) == pytest.approx(0.5)
    assert average_precision([sure_and_right, sure_and_wrong]) == pytest.approx(0.25)


def test_a_clearly_worse_average_precision_rejects():
    ranked_well = changed(scores(2, 1, 1), detections=detections(True, True, False))
    ranked_badly = changed(scores(3, 1, 0), detections=detections(False, False, False))
    decision = decide(ranked_well, ranked_badly)
    assert (decision.outcome, "AP50" in decision.reason) == ("rejected", True)


def test_a_clearly_worse_count_rejects():
    decision = decide(scores(50, 25, 25), scores(60, 40, 15))
    assert decision.changes["f1"].candidate > decision.changes["f1"].active
    assert decision.outcome == "rejected"
    assert "count error 0.000 → 0.333" in decision.reason


def test_cells_that_people_touched_are_reported_and_never_decide():
    active = changed(scores(60, 10, 10), touched_found=0, touched_cells=9)
    candidate = changed(scores(50, 20, 20), touched_found=9, touched_cells=9)
    assert decide(active, candidate).outcome == "rejected"
    assert summary(candidate)["touched_found"] == summary(candidate)["touched_cells"] == 72
