"""`train`: the default model, from scratch or from where a run stopped."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from worker.cellsam.checkpoint import Card
from worker.cellsam.cli.arguments import Commands, add_command, add_device, add_without
from worker.cellsam.config import CONFIGURATIONS
from worker.cellsam.data.duplicates import without_near_duplicates
from worker.cellsam.data.manifest import EmptySplit, Entry, Split, read_manifest
from worker.cellsam.training.recipe import shares_of
from worker.cellsam.training.trainer import TrainingRun, cpu_processes, train


def train_command(options: argparse.Namespace) -> None:
    """Train from scratch, or go on with the run in --out."""
    entries, pairs = without_near_duplicates(
        _read(options, "train"), [*_read(options, "val"), *_read(options, "test")]
    )
    for pair in pairs:
        print(f"not used, near-duplicate of {pair.kept.image.name}: {pair.other.image.name}", file=sys.stderr)
    shares = shares_of(entries, without=options.without)
    used = [entry for entry in entries if entry.modality in shares]
    card = Card(
        training={
            "data": {entry.dataset: entry.licence for entry in used},
            "split": "train",
            "images": len(used),
            "shares": {name: round(share, 4) for name, share in shares.items()},
            "without": options.without,
            "near_duplicates_left_out": len({pair.other.image for pair in pairs}),
            "processes": options.processes,
        },
        licence="Apache-2.0",
    )
    path = train(
        TrainingRun(
            entries=used,
            out=options.out,
            config=CONFIGURATIONS[options.model],
            minutes=options.minutes,
            shares=shares,
            processes=options.processes,
            seed=options.seed,
            device=options.device,
            card=card,
        )
    )
    print(path)


def _read(options: argparse.Namespace, split: Split) -> list[Entry]:
    """The entries of a split in all folders; only the train split must have some."""
    entries: list[Entry] = []
    for folder in options.data:
        try:
            entries += read_manifest(folder, split, options.dataset)
        except EmptySplit:
            if split == "train":
                raise
    return entries


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "train", train_command)
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        action="append",
        help="folder with a manifest.csv (may be repeated)",
    )
    parser.add_argument("--dataset", action="append", help="only this data set (may be repeated)")
    add_without(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; an existing run goes on")
    parser.add_argument(
        "--minutes", type=float, required=True, help="wall time, all runs of the folder together"
    )
    parser.add_argument("--processes", type=int, default=cpu_processes())
    parser.add_argument("--model", choices=["tiny"], default="tiny")
    parser.add_argument("--seed", type=int, default=0)
    add_device(parser)
