"""What the simulated annotator does on an image, cell by cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from labeling.annotator.cost_model import RULES, Kind
from labeling.annotator.player import Act, Box, Player, agreement, box_iou, without
from labeling.rle import BoxMask
from tests.factories import square

SIZE = (100, 100)
Decode = Callable[[Box], BoxMask]


def perfect(*truth: BoxMask) -> Decode:
    """A model that answers a box with the true cell that it fits best."""
    return lambda box: max(truth, key=lambda mask: box_iou(mask.box, box))


def played(
    shown: list[BoxMask], truth: list[BoxMask], decode: Decode | None = None, *, seed: int = 0
) -> tuple[Player, list[Act]]:
    player = Player(
        cells={f"shown{number}": mask for number, mask in enumerate(shown)},
        truth=truth,
        size=SIZE,
        decode=decode or perfect(*truth),
        random=np.random.default_rng(seed),
    )
    return player, list(player.acts())


def kinds(acts: list[Act]) -> list[Kind]:
    return [act.kind for act in acts]


def oblong(x: int, y: int, width: int, height: int) -> BoxMask:
    return BoxMask((x, y, x + width, y + height), (0, width * height))


def ring(x: int, y: int, side: int, hole: int) -> BoxMask:
    """A square with a square hole in its middle: the extent is right and the outline is not."""
    pixels = np.ones((side, side), dtype=bool)
    low = (side - hole) // 2
    pixels[low : low + hole, low : low + hole] = False
    mask = BoxMask.from_mask(pixels, x=x, y=y)
    assert mask is not None
    return mask


def test_true_cells_are_left_alone():
    truth = [square(0, 0, 20), square(40, 40, 20)]
    player, acts = played(truth, truth)
    assert acts == []
    assert (player.missed, player.false, player.reshaped) == (0, 0, 0)
    assert list(player.cells.values()) == truth


def test_a_mask_that_is_nearly_right_is_left_alone():
    _, acts = played([oblong(0, 0, 20, 17)], [square(0, 0, 20)])  # IoU 0.85
    assert acts == []


def test_a_missed_cell_takes_one_box():
    player, acts = played([], [square(10, 10, 20)])
    assert kinds(acts) == [Kind.BOX]
    assert (player.missed, player.false, player.reshaped) == (1, 0, 0)
    assert list(player.cells.values()) == [square(10, 10, 20)]


def test_a_box_that_comes_back_wrong_takes_the_brush_too():
    truth = square(10, 10, 20)
    player, acts = played([], [truth], lambda box: square(10, 10, 12))
    assert kinds(acts) == [Kind.BOX, Kind.BRUSH]
    assert acts[0].ids == acts[1].ids
    assert acts[1].mask == truth
    assert player.missed == 1
    assert player.reshaped == 0  # it is one corrected cell


def test_each_false_cell_takes_one_delete():
    player, acts = played([square(0, 0, 8), square(70, 70, 8)], [])
    assert kinds(acts) == [Kind.DELETE, Kind.DELETE]
    assert all(act.mask is None for act in acts)
    assert player.false == 2
    assert player.cells == {}


def test_a_cell_of_the_wrong_extent_is_boxed_again():
    truth = square(10, 10, 20)
    player, acts = played([square(10, 10, 15)], [truth])  # IoU 0.56, as of the boxes
    assert kinds(acts) == [Kind.REDRAW]
    assert acts[0] == Act(Kind.REDRAW, ("shown0",), truth)
    assert player.reshaped == 1


def test_a_cell_of_the_right_extent_and_the_wrong_outline_is_brushed():
    truth = square(10, 10, 20)
    _, acts = played([ring(10, 10, 20, 12)], [truth])  # IoU 0.64 in the same box
    assert acts == [Act(Kind.BRUSH, ("shown0",), truth)]


def test_a_cell_that_covers_two_is_deleted_and_both_are_boxed():
    truth = [oblong(0, 0, 20, 10), oblong(0, 10, 20, 10)]
    player, acts = played([square(0, 0, 20)], truth)  # IoU 0.5 with each: an attempt at neither
    assert kinds(acts) == [Kind.DELETE, Kind.BOX, Kind.BOX]
    assert (player.missed, player.false) == (2, 1)


def test_a_cell_that_swallows_a_small_neighbour_is_repaired_and_the_neighbour_boxed():
    truth = [oblong(0, 0, 20, 14), oblong(0, 14, 20, 6)]
    player, acts = played([square(0, 0, 20)], truth)  # IoU 0.7 with the large one
    assert kinds(acts) == [Kind.REDRAW, Kind.BOX]
    assert sorted(player.cells.values(), key=lambda mask: mask.box) == truth


def test_a_cell_in_two_pieces_keeps_the_larger_one():
    truth = square(0, 0, 20)
    player, acts = played([oblong(0, 0, 20, 13), oblong(0, 13, 20, 7)], [truth])
    assert kinds(acts) == [Kind.DELETE, Kind.REDRAW]
    assert list(player.cells.values()) == [truth]


def test_two_attempts_at_one_cell_are_one_and_a_false_one():
    truth = square(0, 0, 20)
    _, acts = played([oblong(0, 0, 20, 18), oblong(0, 0, 20, 19)], [truth])
    assert acts == [Act(Kind.DELETE, ("shown0",), None)]


def test_an_image_that_is_mostly_wrong_is_cleared_and_boxed_anew():
    truth = [square(0, 0, 20), square(40, 0, 20)]
    wrong = [square(70, 10 * row, 8) for row in range(4)]
    player, acts = played([truth[0], *wrong], truth)
    assert kinds(acts) == [Kind.CLEAR, Kind.BOX, Kind.BOX]
    assert len(acts[0].ids) == 5
    assert (player.missed, player.false, player.reshaped) == (1, 4, 1)
    assert list(player.cells.values()) == truth


def test_a_few_false_cells_are_deleted_one_by_one():
    truth = [square(0, 0, 20), square(40, 0, 20), square(0, 40, 20)]
    wrong = [square(70, 10 * row, 8) for row in range(4)]
    assert kinds(played([*truth, *wrong], truth)[1]) == [Kind.DELETE] * 4
    assert kinds(played(wrong[:3], [])[1]) == [Kind.DELETE] * 3


def test_a_new_mask_leaves_the_pixels_of_other_cells_alone():
    truth = [square(0, 0, 20), square(20, 0, 20)]
    player, acts = played([truth[0]], truth, lambda box: oblong(15, 0, 25, 20))
    assert kinds(acts) == [Kind.BOX]
    assert list(player.cells.values()) == truth


def test_the_hand_errs_within_its_limits_and_stays_in_the_image():
    boxes: list[Box] = []

    def decode(box: Box) -> BoxMask:
        boxes.append(box)
        return truth

    truth = oblong(0, 40, 50, 60)  # at two borders of the image
    for seed in range(30):
        played([], [truth], decode, seed=seed)
    sides = np.array(boxes)
    assert len(set(boxes)) == 30
    assert sides.min() >= 0
    assert sides.max() <= 100
    limits = 2 * np.maximum(RULES.hand_px, RULES.hand_share * np.array([50, 60, 50, 60])) + 1e-9
    assert (np.abs(sides - np.array(truth.box)) <= limits).all()
    assert sides[:, 2].std() > 0.5  # the hand does err


def test_the_same_hand_makes_the_same_errors():
    asked: list[Box] = []

    def decode(box: Box) -> BoxMask:
        asked.append(box)
        return square(10, 10, 20)

    for _ in range(2):
        played([], [square(10, 10, 20)], decode, seed=3)
    assert asked[0] == asked[1]


def test_another_rule_changes_what_is_repaired():
    truth = square(0, 0, 20)
    player = Player({"a": oblong(0, 0, 20, 17)}, [truth], SIZE, perfect(truth), np.random.default_rng(0))
    player.rules = replace(RULES, repair_below=0.9)
    assert kinds(list(player.acts())) == [Kind.BRUSH]


def test_what_would_leave_no_pixel_is_kept_whole():
    assert without(square(5, 5, 4), [square(0, 0, 20)]) == square(5, 5, 4)
    assert without(square(5, 5, 4), [square(0, 0, 7)]).area == 12


def test_agreement_counts_matches_and_averages_over_true_cells():
    truth = [square(0, 0, 20), square(40, 40, 20)]
    counts, mean_iou = agreement([oblong(0, 0, 20, 15), square(80, 80, 4)], truth, threshold=0.6)
    assert (counts.true_positive, counts.false_positive, counts.false_negative) == (1, 1, 1)
    assert mean_iou == pytest.approx(0.75 / 2)
    assert agreement([], [], threshold=0.6)[1] == 1.0
