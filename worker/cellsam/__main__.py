"""`python -m worker.cellsam --help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from labeling.pixels import PixelError
from worker.cellsam.channels import ImageError
from worker.cellsam.checkpoint import CheckpointError
from worker.cellsam.cli import (
    baseline,
    calibrate,
    convert,
    evaluate,
    experiment,
    fetch,
    info,
    prepare,
    segment,
    simulate,
    train,
    train_finder,
    train_neck,
)
from worker.cellsam.data.labelled import DataError
from worker.cellsam.data.manifest import ManifestError
from worker.cellsam.evaluate.side_by_side import EvaluationError
from worker.cellsam.training.trainer import TrainingError

COMMANDS = (
    segment,
    evaluate,
    train,
    train_finder,
    train_neck,
    calibrate,
    baseline,
    experiment,
    info,
    convert,
    fetch,
    prepare,
    simulate,
)
USER_ERRORS = (
    ImageError,
    PixelError,
    CheckpointError,
    DataError,
    ManifestError,
    EvaluationError,
    TrainingError,
    OSError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = options.command
    try:
        command(options)
    except USER_ERRORS as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m worker.cellsam", description="CellSAM: find and outline cells."
    )
    commands = parser.add_subparsers(title="commands", required=True)
    for command in COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
