"""What several commands share: how a command is added, and the arguments that mean the same in all of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from worker.cellsam.checkpoint import load
from worker.cellsam.data.manifest import Entry
from worker.cellsam.device import AUTO, PRECISIONS, choose_device, native_precision
from worker.cellsam.evaluate import Sample
from worker.cellsam.predictor import Predictor
from worker.cellsam.training.recipe import DOMAINS

Commands = argparse._SubParsersAction  # argparse has no public name for it
DEFAULT_WEIGHTS = Path(__file__).parents[2] / "weights" / "tiny.safetensors"


def add_command(
    commands: Commands[argparse.ArgumentParser],
    name: str,
    command: Callable[[argparse.Namespace], int | None],
    *,
    examples: str | None = None,
) -> argparse.ArgumentParser:
    """A parser whose help is the command's docstring, with `examples` below. What `command` returns is the exit code
    (None: 0).
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=command.__doc__,
        description=command.__doc__,
        epilog=examples,
        formatter_class=argparse.HelpFormatter if examples is None else argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=command)
    return parser


def add_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights", type=Path, default=DEFAULT_WEIGHTS, help="default: the shipped tiny model"
    )


def add_without(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=sorted(DOMAINS),
        help="leave this domain out (may be repeated)",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device", default=AUTO, help="auto (the default: a GPU if there is one), cpu, cuda, cuda:1, ..."
    )


def add_precision(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--precision",
        choices=[AUTO, *PRECISIONS],
        default="fp32",
        help="of the large products (default: fp32); bf16 and fp16 are faster where the device computes in them and "
        "give not quite the same; auto: bf16 there, else fp32",
    )


def load_predictor(options: argparse.Namespace) -> Predictor:
    """Of --weights on --device, with --threshold and --precision where the command has them.

    Raises CheckpointError, DeviceError.
    """
    device = choose_device(options.device)
    model = load(options.weights, device=device)
    threshold, wanted = getattr(options, "threshold", None), getattr(options, "precision", "fp32")
    thresholds = None if threshold is None else replace(model.config.thresholds, box=threshold)
    precision = native_precision(torch.device(device)) if wanted == AUTO else PRECISIONS[wanted]
    return Predictor(model, thresholds=thresholds, precision=precision)


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
        features = predictor.embed(image, roles, equalised=entry.equalised)
        yield Sample(entry.image.stem, group, features, entry.read_labels())
