"""Rounds, the stop rule and the goals, from records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labeling.annotator.curves import GOALS, base_cost, enough_after, rounds, verdicts
from labeling.annotator.records import Arm, ImageRecord, RunRecord, append, read
from labeling.annotator.report import report


def record(place: int, **values: Any) -> ImageRecord:
    """An image of ten cells; two images are a round."""
    fields: dict[str, Any] = {
        "domain": "A", "arm": "loop", "order": "random", "seed": 0, "place": place, "round": (place + 1) // 2,
        "image": f"{place}.png", "blind": False, "cells": 10, "shown": 10, "missed": 0, "false": 0, "reshaped": 0,
        "delete": 0, "clear": 0, "redraw": 0, "brush": 0, "box": 0, "vertex": 0, "seconds": 10.0,
        "f1_shown": 0.8, "f1": 1.0, "mean_iou": 0.9, "version": "v1", "reason": "lot",
    }  # fmt: skip
    return ImageRecord(**(fields | values))


def test_a_round_is_counted_over_its_cells_and_not_over_its_images():
    (one,) = rounds(
        [
            record(1, cells=30, box=6, brush=3, missed=6),
            record(2, cells=10, delete=2, brush=2, false=2, reshaped=2),
        ]
    )
    assert one.corrections_per_cell == pytest.approx(10 / 40)
    assert one.actions_per_cell == pytest.approx(13 / 40)  # three masks that a box brought were mended
    assert one.missed_and_false_per_cell == pytest.approx(8 / 40)
    assert one.seconds_per_cell == pytest.approx(20 / 40)


def test_the_f1_of_what_was_shown_is_pooled_over_images():
    """Of 10 true and 30 shown cells 4 are right, of 40 true and 20 shown 15: 2 * 19 of 100."""
    (one,) = rounds(
        [
            record(1, cells=10, shown=30, f1_shown=0.2),
            record(2, cells=40, shown=20, f1_shown=0.5, mean_iou=0.8),
        ]
    )
    assert one.f1_shown == pytest.approx(0.38)
    assert one.mean_iou == pytest.approx(0.82)


def test_drawing_everything_is_one_correction_a_cell_and_clearing_one_more_for_the_image():
    (drawn,) = rounds([record(1, shown=0, missed=10, box=10, brush=4)])
    (cleared,) = rounds([record(1, shown=20, missed=8, false=18, reshaped=2, clear=1, box=10, brush=4)])
    assert (drawn.corrections_per_cell, cleared.corrections_per_cell) == (1.0, 1.1)
    assert (drawn.actions_per_cell, cleared.actions_per_cell) == (1.4, 1.5)


def test_a_round_says_how_many_cells_had_been_corrected_when_it_began():
    found = rounds([record(1, missed=3, reshaped=1), record(2, false=2), record(3, missed=5), record(4)])
    assert [one.corrected_before for one in found] == [0, 6]


def test_blind_images_are_counted_beside_and_in_the_total():
    (one,) = rounds([record(1, box=1, missed=1), record(2, blind=True, shown=0, box=10, missed=10)])
    assert (one.images, one.blind_images, one.blind_actions) == (1, 1, 10)
    assert one.actions_per_cell == pytest.approx(0.1)
    assert one.actions_per_cell_with_blind == pytest.approx(11 / 20)


def test_a_round_of_blind_images_alone_has_no_figures():
    assert rounds([record(1, blind=True, box=10)]) == []


@pytest.mark.parametrize(
    ("costs", "after"),
    [
        ([0.5, 0.3, 0.2, 0.19, 0.195], 5),
        ([0.5, 0.3, 0.295, 0.2, 0.1], None),  # one idle round is not enough
        ([0.5, 0.6, 0.7], 3),
        ([0.5, 0.6, 0.45, 0.4], None),
        ([0.5], None),
        ([], None),
    ],
)
def test_enough_is_two_idle_rounds_in_a_row(costs: list[float], after: int | None):
    assert enough_after(costs) == after


def test_the_base_is_compared_on_the_same_images():
    base = [record(place, arm="presegmented", order="upload", box=4, missed=4) for place in (1, 2, 3)]
    loop = [record(1, box=1, missed=1), record(2, blind=True, box=10)]
    (one,) = rounds(loop)
    assert base_cost([*base, *loop], one) == pytest.approx(0.4)
    assert base_cost(loop, one) is None


def test_goals_are_judged_in_the_fifth_round():
    cheap = [record(place, domain="B", box=1, missed=1) for place in range(1, 11)]
    base = [record(place, domain="B", arm="presegmented", box=4, missed=4) for place in range(1, 11)]
    dear = [record(place, box=5, missed=5) for place in range(1, 11)]
    missed, half = verdicts(GOALS["B"], [*cheap, *base], order="random")
    assert "0.100, goal at most 0.25: met" in missed
    assert "0.250, goal at most 0.5: met" in half
    assert "not met" in verdicts(GOALS["A"], dear, order="random")[0]
    assert "no campaign has reached round 5" in verdicts(GOALS["A"], cheap[:4], order="random")[0]


def test_a_verdict_names_the_order_that_it_is_about():
    mine = [record(place, order="learned", box=1, missed=1) for place in range(1, 11)]
    assert "learned order, round 5, seeds: 1" in verdicts(GOALS["A"], mine, order="learned")[0]
    assert "random order" in verdicts(GOALS["A"], mine, order="random")[0]


def test_no_round_of_the_third_domain_may_cost_more_than_drawing_everything():
    worst_first = [15 if place < 3 else 1 for place in range(1, 11)]
    dear = [record(place, delete=its, false=its) for place, its in enumerate(worst_first, start=1)]
    fifth, worst = verdicts(GOALS["C"], dear, order="random")
    assert fifth.endswith(": met.")
    assert "1.500, goal at most 1: not met" in worst


def test_the_goals_of_a_domain_are_judged_on_its_own_campaigns(tmp_path: Path):
    for domain, missed in (("A", 1), ("B", 9)):
        for place in range(1, 11):
            append(tmp_path / f"{domain}.images.csv", record(place, domain=domain, box=missed, missed=missed))
    assert "corrections per cell 0.100, goal at most 0.15: met" in report(tmp_path, goal="A")


def test_enough_names_the_round_though_an_earlier_one_was_blind(tmp_path: Path):
    """Rounds 1, 3 and 4 have figures, and neither of the last two is better than the first."""
    for place in range(1, 9):
        append(tmp_path / "A.images.csv", record(place, blind=place in (3, 4), box=2, missed=2))
    assert "A, random, seed 0: enough after round 4." in report(tmp_path)


def test_records_are_read_as_they_were_written(tmp_path: Path):
    written = [record(1, blind=True, reason='a "reason", with a comma'), record(2, seconds=3.25)]
    for one in written:
        append(tmp_path / "a.images.csv", one)
    assert read(ImageRecord, [tmp_path / "a.images.csv", tmp_path / "none.csv"]) == written


def test_a_file_of_other_columns_is_refused(tmp_path: Path):
    append(tmp_path / "a.csv", record(1))
    with pytest.raises(ValueError, match="another version"):
        read(RunRecord, [tmp_path / "a.csv"])


def test_a_report_is_tables_and_a_picture(tmp_path: Path):
    for arm in Arm:
        for place in range(1, 5):
            append(tmp_path / f"A-{arm}.images.csv", record(place, arm=arm, box=2, missed=2))
    run = RunRecord(
        domain="A", arm="loop", order="random", seed=0, after_round=1, decision="rejected", reason="It is no better.",
        version="v1", rung="1", seconds=12.0, f1_before="0.8000", f1_after="0.7900",
    )  # fmt: skip
    append(tmp_path / "A-loop.runs.csv", run)
    text = report(tmp_path, goal="A")
    assert "| A | the loop | random | 1 | 4 | 40 | 0.200 | 0.200 | 0.200 |" in text
    assert "It is no better." in text
    assert "A, random, seed 0: not yet enough after 2 rounds." in text
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert len((tmp_path / "rounds.csv").read_text().splitlines()) == 1 + 2 * len(Arm)
