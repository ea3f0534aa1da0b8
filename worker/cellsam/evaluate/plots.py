"""A report as pictures. Matplotlib is imported when one is drawn, and draws into files only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from worker.cellsam.evaluate.average_precision import COCO_IOUS, average_precisions
from worker.cellsam.evaluate.report import Difference, Report, Row
from worker.cellsam.evaluate.results import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 8.0  # inches
DPI = 120


def plot_report(report: Report, results: Mapping[str, Mapping[str, Evaluation]], folder: Path) -> list[Path]:
    """Pictures of each split: F1 by part, AP against IoU, and the differences if there are several methods."""
    written = []
    for split, of_methods in results.items():
        rows = [row for row in report.rows if row.split == split]
        written.append(_bars(rows, folder / f"f1_{split}.png"))
        written.append(_ap_curves(of_methods, folder / f"average_precision_{split}.png"))
        differences = [
            each for each in report.differences if each.split == split and each.comparison.figure == "f1"
        ]
        if differences:
            written.append(_forest(differences, folder / f"differences_{split}.png"))
    return written


def plot_curves(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], path: Path, *, x: str, y: str
) -> Path:
    """Lines by name: (x values, y values)."""
    figure, axes = _axes(4.5)
    for name, (across, up) in curves.items():
        axes.plot(across, up, marker="o", label=name)
    axes.set(xlabel=x, ylabel=y)
    axes.legend(fontsize="small")
    return _save(figure, path)


def _bars(rows: Sequence[Row], path: Path) -> Path:
    """F1 with its interval: a group of bars for each part, a bar for each method."""
    parts, methods = (
        list(dict.fromkeys(row.part for row in rows)),
        list(dict.fromkeys(row.method for row in rows)),
    )
    figure, axes = _axes(1.5 + 0.35 * len(parts) * len(methods))
    height = 0.8 / len(methods)
    for index, method in enumerate(methods):
        own = [row for row in rows if row.method == method]
        at = np.array([parts.index(row.part) for row in own]) + (index - (len(methods) - 1) / 2) * height
        values = np.array([row.summary.f1 for row in own])
        around = [values - [row.summary.f1_low for row in own], [row.summary.f1_high for row in own] - values]
        axes.barh(at, values, height * 0.9, xerr=np.clip(around, 0, None), capsize=2, label=method)
    axes.set_yticks(range(len(parts)), parts, fontsize="small")
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="F1 at mask IoU 0.6, pooled; 95% interval over images")
    axes.legend(fontsize="small")
    return _save(figure, path)


def _ap_curves(of_methods: Mapping[str, Evaluation], path: Path) -> Path:
    curves = {}
    for name, evaluation in of_methods.items():
        true = [image.true for image in evaluation.images]
        values = average_precisions([image.masks for image in evaluation.images], true)
        curves[name] = (list(COCO_IOUS), values.tolist())
    return plot_curves(curves, path, x="IoU of masks", y="average precision, pooled")


def _forest(differences: Sequence[Difference], path: Path) -> Path:
    """The change of F1 in each part with its paired interval."""
    figure, axes = _axes(1.5 + 0.35 * len(differences))
    at = np.arange(len(differences))
    values = np.array([each.comparison.difference for each in differences])
    low = values - [each.comparison.low for each in differences]
    high = [each.comparison.high for each in differences] - values
    axes.errorbar(values, at, xerr=np.clip([low, high], 0, None), fmt="o", capsize=3)
    axes.axvline(0, color="grey", linewidth=1)
    axes.set_yticks(at, [f"{each.part}: {each.method}" for each in differences], fontsize="small")
    axes.invert_yaxis()
    axes.set(xlabel=f"difference of F1 to {differences[0].against}; paired 95% interval over images")
    return _save(figure, path)


def _axes(height: float) -> tuple[object, Axes]:
    # Not pyplot: it keeps figures alive and looks for a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _save(figure: object, path: Path) -> Path:
    figure.savefig(path, dpi=DPI)  # type: ignore[attr-defined]
    return path
