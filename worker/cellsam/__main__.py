"""`python -m worker.cellsam --help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from labeling.pixels import PixelError
from worker.cellsam.benchmark import BenchmarkError
from worker.cellsam.channels import ImageError
from worker.cellsam.checkpoint import CheckpointError
from worker.cellsam.cli import (
    baseline,
    benchmark,
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
from worker.cellsam.device import DeviceError
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
    benchmark,
    info,
    convert,
    fetch,
    prepare,
    simulate,
)
USER_ERRORS = (
    BenchmarkError,
    ImageError,
    PixelError,
    CheckpointError,
    DeviceError,
    DataError,
    ManifestError,
    EvaluationError,
    TrainingError,
    OSError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int | None] = options.command
    try:
        return command(options) or 0
    except USER_ERRORS as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130  # as shells say it


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m worker.cellsam",
        description="CellSAM: find and outline cells. Each command has a --help of its own.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
