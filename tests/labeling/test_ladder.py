"""Which rungs a run tries, and which candidate is taken."""

import pytest

from labeling.ladder import Judged, Rung, choose, rungs_to_try

NECK, FINDER, TRUNK = Rung.NECK, Rung.FINDER, Rung.TRUNK


@pytest.mark.parametrize(
    ("cells", "rungs"),
    [(0, ()), (49, ()), (50, (NECK,)), (199, (NECK,)), (200, (NECK, FINDER)), (9000, (NECK, FINDER))],
)
def test_more_corrected_cells_reach_higher_rungs(cells: int, rungs: tuple[Rung, ...]):
    assert rungs_to_try(corrected_cells=cells) == rungs


def test_the_trunk_is_touched_where_an_admin_allows_it_and_there_are_enough_cells():
    assert TRUNK not in rungs_to_try(corrected_cells=199, deep=True)
    assert rungs_to_try(corrected_cells=200, deep=True) == (NECK, FINDER, TRUNK)


def test_the_trunk_is_touched_where_the_active_version_is_mostly_wrong():
    assert TRUNK in rungs_to_try(corrected_cells=200, precision=0.49)
    assert TRUNK not in rungs_to_try(corrected_cells=200, precision=0.5)
    assert TRUNK not in rungs_to_try(corrected_cells=199, precision=0.1)


def test_a_higher_rung_has_to_be_clearly_better():
    assert choose([Judged(NECK, True, 0.80), Judged(FINDER, True, 0.819)]) == 0
    assert choose([Judged(NECK, True, 0.80), Judged(FINDER, True, 0.83)]) == 1


def test_a_rung_that_may_be_promoted_wins_over_one_that_may_not():
    assert choose([Judged(NECK, False, 0.90), Judged(FINDER, True, 0.80)]) == 1


def test_the_order_of_the_candidates_does_not_matter():
    assert choose([Judged(FINDER, True, 0.81), Judged(NECK, True, 0.80)]) == 1


def test_of_those_that_may_not_the_best_is_shown():
    assert choose([Judged(NECK, False, 0.5), Judged(FINDER, False, 0.7), Judged(TRUNK, False, 0.71)]) == 1


def test_no_candidate_is_an_error():
    with pytest.raises(ValueError, match="no candidate"):
        choose([])
