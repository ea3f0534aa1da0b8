"""What was prepared and what was dropped, by data set and split."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from worker.cellsam.data.journal import PreparedField
from worker.cellsam.data.labelled import SPLITS, Split
from worker.cellsam.data.splits import Assignment

REASONS = {
    "labels_in_pieces": "labels in several pieces",
    "labels_one_pixel_wide": "labels one pixel wide",
    "fragments_in_pieces": "labels that a tile's edge cut into pieces",
    "fragments_one_pixel_wide": "labels of which a tile's edge left one pixel's width",
    "annotations_overlapping": "annotations that others cover for the most part",
    "annotations_without_pixels": "annotations without a pixel",
    "empty_tiles": "tiles without cells",
    "fields_without_cells": "fields without cells",
    "unreadable_fields": "unreadable fields",
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """Counts of one data set's split."""

    fields: int
    tiles: int
    cells: int
    dropped: dict[str, int]  # by REASONS
    moved_here: dict[str, int]  # fields that leaked, by the split they had stood in


@dataclass(frozen=True, slots=True)
class PreparationReport:
    by_split: dict[tuple[str, Split], Prepared]  # by data set and split
    unreadable: dict[str, str]  # reason by field
    leaks: int  # sets of fields that had stood in several splits

    def as_json(self) -> dict[str, Any]:
        datasets: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        for (dataset, split), part in self.by_split.items():
            datasets[dataset][split] = {
                "fields": part.fields,
                "tiles": part.tiles,
                "cells": part.cells,
                "dropped": part.dropped,
                "moved_here": part.moved_here,
            }
        return {"datasets": datasets, "leaks": self.leaks, "unreadable": self.unreadable}

    def lines(self) -> list[str]:
        """For people."""
        lines = [f"{'data set':28}{'split':7}{'fields':>8}{'tiles':>8}{'cells':>10}  dropped"]
        for (dataset, split), part in self.by_split.items():
            dropped = ", ".join(f"{count} {REASONS[reason]}" for reason, count in part.dropped.items())
            lines.append(
                f"{dataset:28}{split:7}{part.fields:8}{part.tiles:8}{part.cells:10}  {dropped or 'nothing'}"
            )
            lines += [
                f"{'':35}{count} fields moved here from {origin}: they show what train fields show"
                for origin, count in part.moved_here.items()
            ]
        return lines + [f"unreadable: {reason}" for reason in self.unreadable.values()]


def summarise(entries: Iterable[PreparedField], assignment: Assignment) -> PreparationReport:
    """Counts of all fields, in the order in which their splits were assigned."""
    counts: defaultdict[tuple[str, Split], Counter[str]] = defaultdict(Counter)
    dropped: defaultdict[tuple[str, Split], Counter[str]] = defaultdict(Counter)
    moved: defaultdict[tuple[str, Split], Counter[str]] = defaultdict(Counter)
    unreadable = {}
    for index, (entry, split) in enumerate(zip(entries, assignment.splits, strict=True)):
        place = entry.dataset, split
        counts[place] += Counter(
            fields=1, tiles=len(entry.tiles), cells=sum(len(tile.cells) for tile in entry.tiles)
        )
        dropped[place].update(entry.dropped)
        if entry.unreadable:
            unreadable[f"{entry.dataset} {entry.name}"] = entry.unreadable
            dropped[place]["unreadable_fields"] += 1
        if index in assignment.moved_from:
            moved[place][assignment.moved_from[index]] += 1
    by_split = {
        (dataset, split): Prepared(
            **{what: counts[dataset, split][what] for what in ("fields", "tiles", "cells")},
            dropped={reason: count for reason in REASONS if (count := dropped[dataset, split][reason])},
            moved_here=dict(moved[dataset, split]),
        )
        for dataset, split in sorted(counts, key=lambda place: (place[0], SPLITS.index(place[1])))
    }
    return PreparationReport(by_split, unreadable, assignment.leaks)
