"""What the commands of the two training stages share: their arguments, their start, their words."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import torch

from worker.cellsam.build import build
from worker.cellsam.checkpoint import Card, file_sha256, load, read_card
from worker.cellsam.cli.arguments import add_data, add_device
from worker.cellsam.config import CONFIGURATIONS
from worker.cellsam.model import CellSAM
from worker.cellsam.training.distributed import is_first
from worker.cellsam.training.precision import PrecisionName
from worker.cellsam.training.sam_weights import load_sam
from worker.cellsam.training.stages import BEST_FILE, Stage, StageRun, train_stage
from worker.cellsam.training.trainer import TrainingError

RATE_FALLS = (0.9, 0.1)  # "by 10%" as it is written, and as it may have been meant


def add_stage(parser: argparse.ArgumentParser) -> None:
    """The arguments of `StageRun`."""
    add_data(parser)
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder of the run; a run that is there goes on")
    add("--epochs", type=int, required=True)
    add("--batch", type=int, default=2, help="images of each process in a step (default 2)")
    add("--seed", type=int, default=0)
    add("--fall", type=float, choices=RATE_FALLS, default=RATE_FALLS[0], help="rate after 70%% of the epochs")
    add("--precision", choices=get_args(PrecisionName), default="auto")
    add("--recompute", action="store_true", help="trade a third more time for much less memory in the trunk")
    add("--workers", type=int, default=0, help="processes that read images (default 0: none)")
    add("--validation-images", type=int, default=64, help="at most (default 64)")
    add("--log-every", type=int, default=20, help="steps (default 20)")
    add_device(parser)
    add("--minutes", type=float, help="stop after this time; the same command goes on later")


def stage_run(options: argparse.Namespace, card: Card) -> StageRun:
    return StageRun(
        data=options.data,
        out=options.out,
        epochs=options.epochs,
        batch=options.batch,
        datasets=None if options.dataset is None else tuple(options.dataset),
        seed=options.seed,
        fall=options.fall,
        precision=options.precision,
        recompute=options.recompute,
        workers=options.workers,
        device=options.device,
        validation_images=options.validation_images,
        log_every=options.log_every,
        minutes=options.minutes,
        card=card,
    )


def train_and_report(run: StageRun, stage: Stage, model: CellSAM) -> None:
    finished = train_stage(run, stage, model, report=_report_epoch)
    if is_first():
        print(run.out / BEST_FILE if finished else "stopped in time: repeat the command to go on")


def of_file(path: Path) -> tuple[CellSAM, Card]:
    """One of our weight files, and a card that says so. Raises TrainingError for a model with two trunks."""
    config, card = read_card(path)
    if config.finder_trunk is not None:
        raise TrainingError(
            f"{path.name} has a trunk for CellFinder alone; the stages train models with one trunk"
        )
    return load(path), Card(_origin(path, card.training), licence=card.licence)


def of_name(name: str, sam: Path | None, seed: int) -> tuple[CellSAM, Card]:
    """A fresh model, with SAM's weights where a file is given."""
    torch.manual_seed(seed)
    model = build(CONFIGURATIONS[name])
    if sam is None:
        return model, Card()
    load_sam(model, sam)
    return model, Card(_origin(sam, "Segment Anything"))


def _origin(path: Path, about: object) -> dict[str, Any]:
    return {"start": {"file": path.name, "sha256": file_sha256(path), "training": about}}


def _report_epoch(epoch: int, figures: Mapping[str, float]) -> None:
    shown = {name: value for name, value in figures.items() if name == "loss" or name.startswith("val_")}
    words = "  ".join(f"{name} {value:.4f}" for name, value in shown.items())
    print(f"epoch {epoch}  {words}", file=sys.stderr, flush=True)
