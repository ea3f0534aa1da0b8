"""What several commands share: how a command is added, and the arguments that mean the same in all of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from worker.cellsam.data.manifest import Entry
from worker.cellsam.evaluate import Sample
from worker.cellsam.predictor import Predictor

Commands = argparse._SubParsersAction  # argparse has no public name for it
DEFAULT_WEIGHTS = Path(__file__).parents[2] / "weights" / "tiny.safetensors"


def add_command(
    commands: Commands[argparse.ArgumentParser], name: str, command: Callable[[argparse.Namespace], None]
) -> argparse.ArgumentParser:
    """A parser whose help is the command's docstring."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=command.__doc__, description=command.__doc__
    )
    parser.set_defaults(command=command)
    return parser


def add_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights", type=Path, default=DEFAULT_WEIGHTS, help="default: the shipped tiny model"
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder with a manifest.csv")
    parser.add_argument("--dataset", action="append", help="only this data set (may be repeated)")


def samples(predictor: Predictor, entries: Sequence[Entry]) -> Iterator[Sample]:
    """One image at a time: features of a whole split do not fit in memory."""
    for entry in entries:
        image, roles = entry.read_image()
        group = (
            entry.modality if len({e.dataset for e in entries}) == 1 else f"{entry.dataset} {entry.modality}"
        )
        yield Sample(entry.image.stem, group, predictor.embed(image, roles), entry.read_labels())
