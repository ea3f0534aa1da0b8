"""`train-neck`: the second of the paper's two stages."""

from __future__ import annotations

import argparse
from pathlib import Path

from worker.cellsam.cli.arguments import Commands, add_command
from worker.cellsam.cli.stage import add_stage, of_file, stage_run, train_and_report
from worker.cellsam.training.neck_stage import NeckStage


def train_neck_command(options: argparse.Namespace) -> None:
    """Stage 2 of the paper: train the neck of a model whose trunk is trained, or go on with the run in --out."""
    model, card = of_file(options.weights)
    stage = NeckStage(rate=options.rate, prompts=options.prompts, decoder=options.decoder)
    train_and_report(stage_run(options, card), stage, model)


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "train-neck", train_neck_command)
    add_stage(parser)
    paper = NeckStage()
    parser.add_argument(
        "--weights", type=Path, required=True, help="weights of stage 1 (its best.safetensors)"
    )
    parser.add_argument("--rate", type=float, default=paper.rate, help="of the neck (default 1e-4)")
    parser.add_argument(
        "--prompts", type=int, default=paper.prompts, help="cells of an image a step (default 32)"
    )
    parser.add_argument(
        "--decoder",
        action="store_true",
        help="train prompt encoder and mask decoder too: for a model that did not start from SAM's weights",
    )
