"""Which split a field goes to: the data set's own, or 80/10/10 by group; never two splits for the same pixels."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from worker.cellsam.data.labelled import Split

VAL_FROM, TEST_FROM = (
    0.8,
    0.9,
)  # places in [0, 1) of the hash from which a group is for validation and for testing


@dataclass(frozen=True, slots=True)
class Placed:
    """What decides a field's split."""

    dataset: str
    group: str
    split: Split | None  # the data set's own
    split_is_final: bool
    hashes: tuple[str, ...]  # of the stored pixels of its tiles; equal pixels have equal hashes


@dataclass(frozen=True, slots=True)
class Assignment:
    """The split of each field, in the order given."""

    splits: tuple[Split, ...]
    moved_from: dict[int, Split]  # fields that leaked: their index, and where they had stood
    leaks: int  # sets of fields that hang together and had stood in several splits


def assign_splits(fields: Sequence[Placed]) -> Assignment:
    """The split of each field, and what was moved to train because it leaked.

    A data set's own splits are kept. One that has a train but no validation part gives a tenth of its train groups to
    validation, unless its splits are final. Fields without a split go 80/10/10 by a hash of data set and group, the
    same on every machine. Fields hang together if they are of one group or a tile of one has the very pixels of a tile
    of the other; if they then stand in several splits, all go to train. Groups do not tie fields whose splits are
    final.
    """
    with_val = {field.dataset for field in fields if field.split == "val"}
    wanted = [_wanted(field, has_val=field.dataset in with_val) for field in fields]
    assigned = list(wanted)
    leaks = 0
    for members in _components(fields):
        if len({wanted[index] for index in members}) > 1:
            leaks += 1
            for index in members:
                assigned[index] = "train"
    moved = {i: wanted[i] for i in range(len(fields)) if assigned[i] != wanted[i]}
    return Assignment(tuple(assigned), moved, leaks)


def place_of(dataset: str, group: str) -> float:
    """In [0, 1), evenly spread over groups: the first 8 bytes of the SHA-256 of both names."""
    digest = hashlib.sha256(f"{dataset}\n{group}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def _wanted(field: Placed, *, has_val: bool) -> Split:
    place = place_of(field.dataset, field.group)
    if field.split is None:
        return "train" if place < VAL_FROM else "val" if place < TEST_FROM else "test"
    if field.split == "train" and not has_val and not field.split_is_final and VAL_FROM <= place < TEST_FROM:
        return "val"
    return field.split


def _components(fields: Sequence[Placed]) -> Iterable[list[int]]:
    """Indices of fields that hang together, by union-find over their groups and hashes."""
    parents = list(range(len(fields)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    first: dict[tuple[str, ...], int] = {}
    for index, field in enumerate(fields):
        ties: list[tuple[str, ...]] = [(pixels,) for pixels in field.hashes]
        if not field.split_is_final:
            ties.append((field.dataset, field.group))
        for tie in ties:
            parents[root(index)] = root(first.setdefault(tie, index))
    members = defaultdict(list)
    for index in range(len(fields)):
        members[root(index)].append(index)
    return members.values()
