"""`baseline`: other methods on the same splits, measured by the same functions."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from worker.cellsam.baselines import otsu
from worker.cellsam.baselines.peers import PEERS, PeerTask, run_peer
from worker.cellsam.cli.arguments import Commands, add_command, add_data
from worker.cellsam.cli.evaluate import SPLITS, evenly, write_report
from worker.cellsam.data.manifest import EmptySplit, Entry, Split, read_manifest
from worker.cellsam.evaluate.report import Report
from worker.cellsam.evaluate.results import Evaluation
from worker.cellsam.evaluate.side_by_side import (
    LabelFolder,
    evaluate_side_by_side,
    image_name,
    label_path,
    read_images,
)


def baseline_command(options: argparse.Namespace) -> None:
    """Otsu and a watershed, or another package in its own Python environment, trained from scratch on the same split.

    Label maps and a note of what was done go to --out; `evaluate --labels NAME=OUT/labels` compares them with models.
    """
    splits: list[Split] = list(dict.fromkeys(options.split or ["val"]))
    entries = {split: evenly(_entries(options, split), options.at_most) for split in splits}
    wanted = [entry for of_split in entries.values() for entry in of_split]
    if not wanted:
        read_manifest(options.data, splits[-1], options.dataset)  # raises: it says what is missing
    if options.method == "otsu":
        note = _run_otsu(wanted, options.out)
    else:
        note = run_peer(PEERS[options.method], _task(options, wanted), options.python)
    name = options.method if options.published is None else f"{options.method} {options.published}"
    method = {name: LabelFolder(options.out / "labels")}
    results: dict[str, dict[str, Evaluation]] = {
        split: evaluate_side_by_side(method, read_images(of_split))
        for split, of_split in entries.items()
        if of_split
    }
    report = Report.of(
        results,
        by=("dataset", "modality"),
        about={**note, "confidence": "1.0 for every cell", "method": name},
    )
    write_report(report, results, options.out)
    print(report.to_text())


def _task(options: argparse.Namespace, wanted: Sequence[Entry]) -> PeerTask:
    return PeerTask(
        train=[] if options.published else evenly(_entries(options, "train"), options.train_images),
        validation=[] if options.published else _entries(options, "val"),
        predict=wanted,
        out=options.out,
        minutes=options.minutes,
        seed=options.seed,
        threads=options.threads,
        published=options.published,
        settings=dict(_setting(text) for text in options.set),
    )


def _run_otsu(wanted: Sequence[Entry], out: Path) -> dict[str, Any]:
    for entry in wanted:
        _write(otsu.segment(entry.read_image()[0]), label_path(out / "labels", image_name(entry)))
    settings = {"smoothing": otsu.SMOOTHING, "min_distance": otsu.MIN_DISTANCE, "min_area": otsu.MIN_AREA}
    return {"settings": settings, "images_predicted": len(wanted)}


def _write(labels: NDArray[np.int32], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, labels, compression="zlib")


def _entries(options: argparse.Namespace, split: Split) -> list[Entry]:
    try:
        return read_manifest(options.data, split, options.dataset)
    except EmptySplit:
        return []


def _setting(text: str) -> tuple[str, Any]:
    """NAME=VALUE, the value as JSON."""
    name, _, value = text.partition("=")
    return name, json.loads(value)


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "baseline", baseline_command)
    parser.add_argument("method", choices=["otsu", *PEERS])
    add_data(parser)
    parser.add_argument(
        "--split", choices=SPLITS, action="append", help="to label; default: val (may be repeated)"
    )
    parser.add_argument(
        "--at-most", type=int, metavar="N", help="images of each data set to label, evenly spaced"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for label maps, note and report")
    peers = parser.add_argument_group("other packages")
    peers.add_argument(
        "--python", type=Path, default=Path(sys.executable), help="of an environment that has the package"
    )
    peers.add_argument(
        "--minutes", type=float, default=30.0, help="for training the network alone: CPU time over --threads"
    )
    peers.add_argument("--train-images", type=int, metavar="N", help="at most so many of each data set")
    peers.add_argument("--published", metavar="NAME", help="no training: the package downloads these weights")
    peers.add_argument("--seed", type=int, default=0)
    peers.add_argument("--threads", type=int, default=2)
    peers.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the package's training"
    )
