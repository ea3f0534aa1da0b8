"""From which score on outlines are worth showing."""

from __future__ import annotations

import json

import pytest

from labeling.score_tally import ScoreTally, worth_showing_from

STAYS, MENDED, WRONG = 0.9, 0.7, 0.1  # IoU with the true cell


def tally(*cells: tuple[float, float, int]) -> ScoreTally:
    """Of (score, IoU, how many)."""
    return ScoreTally.of((score, iou) for score, iou, many in cells for _ in range(many))


def test_cells_are_counted_by_their_score():
    counted = tally((0.52, STAYS, 2), (0.54, MENDED, 3), (0.93, WRONG, 4))
    assert counted.rows() == ((10, 5, 5, 2), (18, 4, 0, 0))
    assert counted.precision == pytest.approx(5 / 9)
    assert counted.wrong == 4
    assert counted.above(0.9).rows() == ((18, 4, 0, 0),)


@pytest.mark.parametrize(("iou", "right", "staying"), [(0.6, 0, 0), (0.61, 1, 0), (0.79, 1, 0), (0.8, 1, 1)])
def test_a_cell_is_right_above_the_gates_iou_and_stays_where_nobody_would_mend_it(iou, right, staying):
    assert tally((0.5, iou, 1)).rows() == ((10, 1, right, staying),)


@pytest.mark.parametrize("score", [0.2, 0.3, 0.35, 0.6, 0.7, 0.95, 1.0])
def test_a_score_on_an_edge_belongs_to_the_bin_above_it(score: float):
    assert tally((score, STAYS, 1)).above(score).rows() == tally((score, STAYS, 1)).rows()
    assert tally((score - 0.01, STAYS, 1)).above(score).rows() == ()


def test_tallies_add_up_and_survive_json():
    one, other = tally((0.5, STAYS, 3), (0.7, WRONG, 1)), tally((0.5, WRONG, 2))
    both = ScoreTally.from_rows(json.loads(json.dumps((one + other).rows())))
    assert both.rows() == ((10, 5, 3, 3), (14, 1, 0, 0))
    assert sum([one, other], ScoreTally()) == both
    assert one.rows() == ((10, 3, 3, 3), (14, 1, 0, 0))


def test_all_are_shown_where_those_that_can_stay_outnumber_the_wrong_ones_at_every_score():
    assert worth_showing_from(tally((0.5, STAYS, 11), (0.5, WRONG, 9), (0.9, STAYS, 20))) == 0.0


def test_faint_ones_are_kept_back_where_more_are_wrong_than_can_stay():
    faint_are_wrong = tally((0.5, STAYS, 8), (0.5, WRONG, 12), (0.75, STAYS, 15), (0.75, WRONG, 5))
    assert worth_showing_from(faint_are_wrong) == 0.75


def test_cells_that_must_be_mended_save_nothing():
    mended = tally((0.5, MENDED, 30), (0.5, WRONG, 5), (0.75, STAYS, 10))
    assert worth_showing_from(mended) == 0.75


def test_none_are_shown_where_no_score_tells_right_from_wrong():
    assert worth_showing_from(tally((0.5, WRONG, 15), (0.9, WRONG, 6), (0.9, STAYS, 5))) is None


def test_a_few_cells_change_nothing():
    assert worth_showing_from(tally((0.5, WRONG, 19))) == 0.0
    slightly_better = tally((0.5, STAYS, 9), (0.5, WRONG, 10), (0.9, STAYS, 81))
    assert worth_showing_from(slightly_better) == 0.0
    assert worth_showing_from(slightly_better, now=0.9) == 0.9
    assert worth_showing_from(slightly_better, now=None) == 0.9


def test_what_is_hidden_comes_back_when_it_proves_right():
    assert worth_showing_from(tally((0.5, STAYS, 20), (0.5, WRONG, 10)), now=None) == 0.0
