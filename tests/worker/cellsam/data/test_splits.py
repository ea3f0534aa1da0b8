from __future__ import annotations

from collections import Counter

import pytest

from worker.cellsam.data.labelled import Split
from worker.cellsam.data.splits import Placed, assign_splits, place_of


def placed(
    group: str, split: Split | None = None, *hashes: str, dataset: str = "yeast", final: bool = False
) -> Placed:
    return Placed(dataset, group, split, final, hashes)


def test_fields_without_a_split_go_80_10_10_by_group() -> None:
    fields = [placed(f"field {index}") for index in range(4000)]
    shares = Counter(assign_splits(fields).splits)
    assert shares["train"] / 4000 == pytest.approx(0.8, abs=0.02)
    assert shares["val"] / 4000 == pytest.approx(0.1, abs=0.02)
    assert shares["test"] / 4000 == pytest.approx(0.1, abs=0.02)


def test_the_split_of_a_group_is_the_same_whatever_else_there_is() -> None:
    fields = [placed(f"field {index}") for index in range(50)]
    together = assign_splits(fields).splits
    assert together == tuple(assign_splits([field]).splits[0] for field in fields)
    assert place_of("yeast", "field 0") == pytest.approx(0.096493, abs=1e-6)  # of this and every machine


def test_fields_of_one_group_are_in_one_split() -> None:
    fields = [placed(f"movie {index // 10}") for index in range(400)]
    splits = assign_splits(fields).splits
    assert all(len(set(splits[start : start + 10])) == 1 for start in range(0, 400, 10))
    assert len(set(splits)) == 3


def test_a_sets_own_splits_are_kept() -> None:
    fields = [placed(f"{split} {i}", split) for split in ("train", "val", "test") for i in range(100)]
    assignment = assign_splits(fields)
    assert assignment.splits == tuple(field.split for field in fields)
    assert not assignment.moved_from


def test_a_set_without_validation_gives_a_tenth_of_its_train_groups() -> None:
    fields = [placed(f"field {index}", "train" if index < 2000 else "test") for index in range(2100)]
    splits = assign_splits(fields).splits
    assert Counter(splits)["val"] / 2000 == pytest.approx(0.1, abs=0.02)
    assert splits[2000:] == ("test",) * 100

    final = [placed(field.group, field.split, final=True) for field in fields]
    assert assign_splits(final).splits == tuple(field.split for field in fields)


def test_equal_pixels_in_two_splits_are_moved_to_train() -> None:
    fields = [
        placed("a", "train", "p"),
        placed("b", "test", "q", "p"),
        placed("c", "test", "r"),
        placed("d", "val", "s"),
        placed("e", "test", "s", dataset="other"),
        placed("f", "val", "t"),
    ]
    assignment = assign_splits(fields)
    assert assignment.splits == ("train", "train", "test", "train", "train", "val")
    assert assignment.moved_from == {1: "test", 3: "val", 4: "test"}
    assert assignment.leaks == 2


def test_what_shares_a_group_with_a_leak_is_moved_too() -> None:
    fields = [placed("a", "train", "p"), placed("b", "test", "p"), placed("b", "test", "q")]
    assert assign_splits(fields).splits == ("train", "train", "train")


def test_equal_pixels_in_one_split_stay_there() -> None:
    fields = [placed("a", "test", "p"), placed("b", "test", "p"), placed("c", "val")]
    assignment = assign_splits(fields)
    assert assignment.splits == ("test", "test", "val")
    assert assignment.leaks == 0


def test_groups_of_final_splits_do_not_tie() -> None:
    fields = [
        placed("open", "train", "p", final=True),
        placed("open", "test", "p", final=True),
        placed("open", "test", "q", final=True),
    ]
    assert assign_splits(fields).splits == ("train", "train", "test")
