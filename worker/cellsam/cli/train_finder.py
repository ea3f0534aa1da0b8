"""`train-finder`: the first of the paper's two stages."""

from __future__ import annotations

import argparse
from pathlib import Path

from worker.cellsam.cli.arguments import Commands, add_command
from worker.cellsam.cli.stage import add_stage, of_file, of_name, stage_run, train_and_report
from worker.cellsam.config import CONFIGURATIONS
from worker.cellsam.training.finder_stage import FinderStage

# The stage trains the trunk that feeds the neck: a CellFinder with a trunk of its own is beyond it.
ONE_TRUNK = sorted(name for name, config in CONFIGURATIONS.items() if config.finder_trunk is None)


def train_finder_command(options: argparse.Namespace) -> None:
    """Stage 1 of the paper: train trunk and CellFinder, or go on with the run in --out."""
    if options.weights is not None:
        model, card = of_file(options.weights)
    else:
        model, card = of_name(options.model, options.sam, options.seed)
    stage = FinderStage(head_rate=options.rate, trunk_rate=options.trunk_rate, dropout=options.dropout)
    train_and_report(stage_run(options, card), stage, model)


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "train-finder", train_finder_command)
    add_stage(parser)
    paper = FinderStage()
    parser.add_argument("--model", choices=ONE_TRUNK, default="paper", help="default paper")
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--sam", type=Path, help="SAM's weights (sam_vit_b_01ec64.pth) as the start")
    start.add_argument("--weights", type=Path, help="weights of ours as the start; they name the model")
    parser.add_argument("--rate", type=float, default=paper.head_rate, help="of CellFinder (default 1e-4)")
    parser.add_argument("--trunk-rate", type=float, default=paper.trunk_rate, help="default 1e-5")
    parser.add_argument("--dropout", type=float, default=paper.dropout, help="default 0.1")
