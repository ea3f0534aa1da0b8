"""`simulate`: training images of kinds for which no labelled ones are at hand."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from worker.cellsam.cli.arguments import Commands, add_command
from worker.cellsam.data.simulated import write_simulated


def simulate_command(options: argparse.Namespace) -> None:
    """Write simulated images with true labels as a data folder."""
    written = 0
    for path in write_simulated(options.out, seed=options.seed):
        written += 1
        print(f"\r{path.name}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(f"{options.out}: {written} images")


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "simulate", simulate_command)
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--seed", type=int, default=0)
