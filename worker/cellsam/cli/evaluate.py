"""`evaluate`: figures on a split, of one model or of several side by side."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from worker.cellsam.checkpoint import CheckpointError, file_sha256, load, load_tuned
from worker.cellsam.cli.arguments import DEFAULT_WEIGHTS, Commands, add_command, add_data, add_device
from worker.cellsam.data.manifest import EmptySplit, Entry, Split, read_manifest
from worker.cellsam.device import choose_device
from worker.cellsam.evaluate.image_result import ImageResult
from worker.cellsam.evaluate.plots import plot_report
from worker.cellsam.evaluate.report import Report, table_csv
from worker.cellsam.evaluate.results import Evaluation
from worker.cellsam.evaluate.side_by_side import (
    EvaluationError,
    LabelFolder,
    Method,
    Model,
    evaluate_side_by_side,
    read_images,
)
from worker.cellsam.predictor import Predictor

SPLITS: tuple[Split, ...] = ("train", "val", "test")


def evaluate_command(options: argparse.Namespace) -> None:
    """Figures on one or more splits: over all, by data set and by modality, of one model or of several side by side."""
    methods, about = read_methods(options)
    started = time.perf_counter()
    results: dict[str, dict[str, Evaluation]] = {
        split: evaluate_side_by_side(methods, read_images(entries), progress=_report_image)
        for split, entries in _entries(options).items()
    }
    print(file=sys.stderr)
    about |= {
        "data": options.data.name,
        "images_of_each_set": options.at_most or "all",
        "mask_floor": options.floor,
    }
    about["seconds"] = round(time.perf_counter() - started, 1)
    report = Report.of(results, by=options.by or ("dataset", "modality"), about=about)
    if options.out is not None:
        write_report(report, results, options.out)
    print(report.to_json() if options.json else f"{_thresholds(methods)}\n{report.to_text()}")


def read_methods(options: argparse.Namespace) -> tuple[dict[str, Method], dict[str, Any]]:
    """The models and label folders of the command line by name, and what the report says about them.

    Raises CheckpointError for an unusable file, EvaluationError if two have the same name, DeviceError.
    """
    weights = options.weights or ([] if options.labels else [DEFAULT_WEIGHTS])
    device = choose_device(options.device)
    found: list[tuple[str, Method, dict[str, Any]]] = []
    for name, path in zip(_names(weights), weights, strict=True):
        predictor = Predictor(load(path, device=device))
        found.append((name, Model(predictor, options.floor), _about(path, predictor)))
    for name, path in zip(_names(options.neck), options.neck, strict=True):
        predictor = _with_neck(found, path)
        found.append((name, Model(predictor, options.floor), _about(path, predictor)))
    for named in options.labels:
        name, _, folder = named.partition("=")
        if not folder:
            raise EvaluationError(f"--labels {named}: write it as NAME=FOLDER")
        found.append((name, LabelFolder(Path(folder)), {"confidence": "1.0 for every cell"}))
    methods = {name: method for name, method, _ in found}
    if len(methods) < len(found):
        raise EvaluationError("two of the compared have the same name")
    return methods, {"methods": {name: about for name, _, about in found}}


def write_report(report: Report, results: Mapping[str, Mapping[str, Evaluation]], folder: Path) -> None:
    """report.md, figures.csv, images.csv, report.json and the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(report.to_markdown(), encoding="utf-8")
    (folder / "report.json").write_text(report.to_json(), encoding="utf-8")
    (folder / "figures.csv").write_text(report.to_csv(), encoding="utf-8")
    rows = [
        _image_row(split, method, image)
        for split, of_methods in results.items()
        for method, evaluation in of_methods.items()
        for image in evaluation.images
    ]
    if rows:
        (folder / "images.csv").write_text(table_csv(list(rows[0]), rows), encoding="utf-8")
    plot_report(report, results, folder)


def evenly(entries: Sequence[Entry], at_most: int | None) -> list[Entry]:
    """At most so many of each data set, evenly spaced through the manifest; all if None."""
    if at_most is None:
        return list(entries)
    chosen = []
    for dataset in dict.fromkeys(entry.dataset for entry in entries):
        own = [entry for entry in entries if entry.dataset == dataset]
        count = min(at_most, len(own))
        chosen += [own[index * len(own) // count] for index in range(count)]
    return chosen


def _entries(options: argparse.Namespace) -> dict[str, list[Entry]]:
    """The entries of each split asked for. Of several splits some may be empty, not all."""
    found: dict[str, list[Entry]] = {}
    splits = list(dict.fromkeys(options.split or ["val"]))
    for split in splits:
        try:
            found[split] = evenly(read_manifest(options.data, split, options.dataset), options.at_most)
        except EmptySplit:
            if split == splits[-1] and not found:
                raise
    return found


def _names(paths: Sequence[Path]) -> list[str]:
    """File stems, with their folders where two are equal."""
    stems = [path.stem for path in paths]
    if len(set(stems)) == len(stems):
        return stems
    return [f"{path.parent.name}/{path.stem}" for path in paths]


def _with_neck(found: Sequence[tuple[str, Method, dict[str, Any]]], path: Path) -> Predictor:
    """The first model with the trunk that these parts were tuned on, and these parts."""
    tuned = load_tuned(path)
    for _, method, _ in found:
        if isinstance(method, Model) and method.predictor.trunk_hash == tuned.parent_trunk_hash:
            return method.predictor.with_parts(tuned.parts, threshold=tuned.threshold)
    raise CheckpointError(f"{path.name}: none of the --weights has the trunk that this file was tuned on")


def _about(path: Path, predictor: Predictor) -> dict[str, Any]:
    return {"file": path.name, "sha256": file_sha256(path), "box_threshold": predictor.thresholds.box}


def _thresholds(methods: Mapping[str, Method]) -> str:
    models = ((name, method.predictor) for name, method in methods.items() if isinstance(method, Model))
    return "\n".join(f"{name}: box threshold {predictor.thresholds.box}" for name, predictor in models)


def _image_row(split: str, method: str, image: ImageResult) -> dict[str, object]:
    return {
        "split": split,
        "method": method,
        "image": image.name,
        "dataset": image.tags.get("dataset", ""),
        "modality": image.tags.get("modality", ""),
        "true": image.true,
        "predicted": image.predicted,
        "true_positive": image.counts.true_positive,
        "false_positive": image.counts.false_positive,
        "false_negative": image.counts.false_negative,
        "f1": image.counts.f1,
        "mean_iou_true_boxes": sum(image.ious) / len(image.ious) if image.ious else None,
    }


def _report_image(result: ImageResult) -> None:
    print(f"\r{result.name[-50:]:50} F1 {result.counts.f1:.3f}", end="", file=sys.stderr, flush=True)


def add_floor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--floor",
        type=float,
        help="count also masks of boxes above this score for the AP of masks, e.g. 0.2 (slow: each must be decoded); "
        "default: only the cells that the pipeline reports",
    )


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "evaluate", evaluate_command)
    add_data(parser)
    parser.add_argument(
        "--split",
        choices=SPLITS,
        action="append",
        help="default: val (may be repeated; test is for reports only)",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        action="append",
        default=[],
        help="a model (may be repeated: the others are compared with the first); default: the shipped tiny model",
    )
    parser.add_argument(
        "--neck",
        type=Path,
        action="append",
        default=[],
        help="also the model of its trunk with this tuned neck",
    )
    parser.add_argument(
        "--labels",
        action="append",
        default=[],
        metavar="NAME=FOLDER",
        help="also label maps that another method wrote (see the command baseline)",
    )
    parser.add_argument(
        "--by",
        choices=["dataset", "modality"],
        action="append",
        help="parts that figures are also given of (default: both)",
    )
    parser.add_argument("--at-most", type=int, metavar="N", help="images of each data set, evenly spaced")
    add_floor(parser)
    add_device(parser)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--out", type=Path, help="folder for the report as Markdown, CSV, JSON and pictures")
