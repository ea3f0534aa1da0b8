"""`train`: the default model, from scratch or from where a run stopped."""

from __future__ import annotations

import argparse
from pathlib import Path

from worker.cellsam.checkpoint import (
    Card,
)
from worker.cellsam.cli.arguments import Commands, add_command, add_data
from worker.cellsam.config import CONFIGURATIONS
from worker.cellsam.data.manifest import read_manifest
from worker.cellsam.training.recipe import shares_of
from worker.cellsam.training.trainer import TrainingRun, cpu_processes, train


def train_command(options: argparse.Namespace) -> None:
    """Train from scratch, or go on with the run in --out."""
    entries = read_manifest(options.data, "train", options.dataset)
    shares = shares_of(entries)
    licences = {entry.dataset: entry.licence for entry in entries if entry.dataset in shares}
    card = Card(
        training={"data": licences, "split": "train", "shares": shares, "processes": options.processes},
        licence="Apache-2.0",
    )
    path = train(
        TrainingRun(
            data=options.data,
            out=options.out,
            config=CONFIGURATIONS[options.model],
            minutes=options.minutes,
            shares=shares,
            processes=options.processes,
            seed=options.seed,
            card=card,
        )
    )
    print(path)


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    training = add_command(commands, "train", train_command)
    add_data(training)
    training.add_argument(
        "--out", type=Path, required=True, help="folder of the run; an existing run goes on"
    )
    training.add_argument(
        "--minutes", type=float, required=True, help="wall time, all runs of the folder together"
    )
    training.add_argument("--processes", type=int, default=cpu_processes())
    training.add_argument("--model", choices=["tiny"], default="tiny")
    training.add_argument("--seed", type=int, default=0)
