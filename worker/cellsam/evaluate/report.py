"""Figures as rows, and rows as Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from worker.cellsam.evaluate.results import Comparison, Evaluation, Summary, compare

COMPARED = ("f1", "mask_map", "mean_iou_true_boxes")

# What people read, in this order. The files for programs have every figure.
COLUMNS = {
    "P": "precision",
    "R": "recall",
    "F1, mean over images": "f1_image_mean",
    "mask mAP": "mask_map",
    "mask AP50": "mask_ap50",
    "box mAP": "box_map",
    "box AP50": "box_ap50",
    "mIoU, true boxes": "mean_iou_true_boxes",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One method on one part of a split."""

    split: str
    part: str  # "all", or a data set, or a modality
    method: str
    summary: Summary

    @property
    def values(self) -> dict[str, object]:
        return {"split": self.split, "part": self.part, "method": self.method, **asdict(self.summary)}


@dataclass(frozen=True, slots=True)
class Difference:
    """A method against the first one on one part of a split."""

    split: str
    part: str
    method: str
    against: str
    comparison: Comparison

    @property
    def values(self) -> dict[str, object]:
        place = {"split": self.split, "part": self.part, "method": self.method, "against": self.against}
        return {**place, **asdict(self.comparison)}


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of some methods on the splits of some data. `about`: weights, thresholds, data; plain JSON."""

    about: Mapping[str, Any]
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]

    @classmethod
    def of(
        cls,
        results: Mapping[str, Mapping[str, Evaluation]],
        *,
        by: Sequence[str] = (),
        about: Mapping[str, Any] | None = None,
    ) -> Report:
        """`results`: split -> method -> evaluation; `by`: tags whose values are parts, in this order."""
        rows: list[Row] = []
        differences: list[Difference] = []
        for split, of_methods in results.items():
            for part, evaluations in _parts(of_methods, by):
                rows += [Row(split, part, name, each.summary()) for name, each in evaluations.items()]
                differences += _differences(split, part, evaluations)
        return cls(about or {}, tuple(rows), tuple(differences))

    def to_json(self) -> str:
        figures = [row.values for row in self.rows]
        differences = [difference.values for difference in self.differences]
        report = {"about": dict(self.about), "figures": figures, "differences": differences}
        return json.dumps(_plain(report), indent=2)

    def to_csv(self) -> str:
        """A line for each row, with every figure; empty where a figure does not exist."""
        columns = ["split", "part", "method", *(field.name for field in fields(Summary))]
        return table_csv(columns, [row.values for row in self.rows])

    def to_markdown(self) -> str:
        """A table for each split, and the differences to the first method if there are several."""
        parts = []
        for split in dict.fromkeys(row.split for row in self.rows):
            rows = [row for row in self.rows if row.split == split]
            parts.append(f"### Split {split}\n\n{_figures_table(rows)}")
            differences = [each for each in self.differences if each.split == split]
            if differences:
                parts.append(f"#### Differences, split {split}\n\n{_differences_table(differences)}")
        return "\n\n".join(parts) + "\n"

    def to_text(self) -> str:
        """For a terminal: the figures that decide."""
        lines: list[str] = []
        for split in dict.fromkeys(row.split for row in self.rows):
            lines += [f"split {split}, mask IoU 0.6", _TEXT_HEADER]
            lines += [_text_line(row) for row in self.rows if row.split == split]
        lines += [_text_difference(each) for each in self.differences if each.part == "all"]
        return "\n".join(lines)


_TEXT_HEADER = (
    f"{'':36}{'':16}{'images':>7}{'cells':>7}{'F1':>7}  {'95% interval':14}"
    f"{'P':>6}{'R':>6}{'mAP':>6}{'AP50':>6}{'bAP50':>6}{'mIoU':>6}"
)


def _text_line(row: Row) -> str:
    figures = row.summary
    return (
        f"{row.part[:36]:36}{row.method[:15]:16}{figures.images:7}{figures.cells:7}{figures.f1:7.3f}"
        f"  {figures.f1_low:.3f} - {figures.f1_high:.3f} {figures.precision:6.3f}{figures.recall:6.3f}"
        f"{figures.mask_map:6.3f}{figures.mask_ap50:6.3f}{figures.box_ap50:6.3f}{figures.mean_iou_true_boxes:6.3f}"
    )


def _text_difference(each: Difference) -> str:
    found = each.comparison
    return (
        f"{each.split}: {found.figure} of {each.method} against {each.against}: "
        f"{found.difference:+.3f} ({found.low:+.3f} to {found.high:+.3f})"
    )


def table_markdown(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; numbers with three digits, nothing where there is no number."""
    lines = [
        "| " + " | ".join(columns) + " |",
        "|" + "---|" * len(columns),
        *("| " + " | ".join(_cell(value) for value in row) + " |" for row in rows),
    ]
    return "\n".join(lines)


def table_csv(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> str:
    """CSV with a header; NaN is left empty."""
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: "" if _missing(value) else value for name, value in row.items()} for row in rows)
    return file.getvalue()


def table_json(about: Mapping[str, Any], rows: Sequence[Mapping[str, object]]) -> str:
    """JSON with NaN as null."""
    return json.dumps(_plain({"about": dict(about), "figures": list(rows)}), indent=2)


def _parts(
    of_methods: Mapping[str, Evaluation], by: Sequence[str]
) -> Iterator[tuple[str, dict[str, Evaluation]]]:
    """("all", everything), then the parts by each tag that has more than one value."""
    yield "all", dict(of_methods)
    for tag in by:
        divided = {name: evaluation.by(tag) for name, evaluation in of_methods.items()}
        values = sorted({value for parts in divided.values() for value in parts})
        if len(values) < 2:
            continue
        for value in values:
            yield value, {name: parts[value] for name, parts in divided.items() if value in parts}


def _differences(split: str, part: str, evaluations: Mapping[str, Evaluation]) -> Iterator[Difference]:
    (first, reference), *others = evaluations.items()
    for name, evaluation in others:
        for figure in COMPARED:
            comparison = compare(reference, evaluation, figure=figure)
            if not math.isnan(comparison.difference):
                yield Difference(split, part, name, first, comparison)


def _figures_table(rows: Sequence[Row]) -> str:
    several = len({row.method for row in rows}) > 1
    columns = ["", *(["method"] if several else []), "images", "cells", "F1 (95% interval)", *COLUMNS]
    return table_markdown(
        columns,
        [
            [
                row.part,
                *([row.method] if several else []),
                row.summary.images,
                row.summary.cells,
                f"{row.summary.f1:.3f} ({row.summary.f1_low:.3f} to {row.summary.f1_high:.3f})",
                *(getattr(row.summary, name) for name in COLUMNS.values()),
            ]
            for row in rows
        ],
    )


def _differences_table(differences: Sequence[Difference]) -> str:
    return table_markdown(
        ["", "method", "against", "figure", "difference", "95% interval, paired"],
        [
            [
                each.part,
                each.method,
                each.against,
                each.comparison.figure,
                f"{each.comparison.difference:+.3f}",
                f"{each.comparison.low:+.3f} to {each.comparison.high:+.3f}",
            ]
            for each in differences
        ],
    )


def _cell(value: object) -> str:
    if _missing(value):
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _plain(value: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return None if _missing(value) else value
