"""`prepare`: published data sets to a folder that `train` and `evaluate` read."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from labeling.formats import coco
from labeling.rle import BoxMask
from worker.cellsam.cli.arguments import Commands, add_command
from worker.cellsam.data.importers import IMPORTERS
from worker.cellsam.data.labelled import DataError
from worker.cellsam.data.preparation import PreparationOptions, Source, prepare


def prepare_command(options: argparse.Namespace) -> None:
    """Import data sets, normalise, check, tile and split them; a run that was stopped goes on."""
    report = prepare(
        [_source(argument) for argument in options.source],
        options.out,
        encode=_compressed_counts,
        options=PreparationOptions(
            keep_colour=options.colour == "keep", skip_unreadable=options.skip_unreadable
        ),
        progress=_report_progress,
    )
    print(file=sys.stderr)
    print("\n".join(report.lines()))


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "prepare", prepare_command)
    parser.add_argument(
        "--source",
        action="append",
        required=True,
        metavar="LAYOUT[:NAME]=DIR",
        help=f"a data set (may be repeated); layouts: {', '.join(IMPORTERS)}",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write, or to go on with")
    parser.add_argument(
        "--colour",
        choices=["gray", "keep"],
        default="gray",
        help="what stained images become (default: gray, as in the paper)",
    )
    parser.add_argument(
        "--skip-unreadable", action="store_true", help="leave damaged files out and report them"
    )


def _source(argument: str) -> Source:
    label, equals, folder = argument.partition("=")
    layout, _, name = label.partition(":")
    if not equals or not folder:
        raise DataError(argument, "a source is given as LAYOUT=DIR or LAYOUT:NAME=DIR")
    return Source(name or layout, layout, Path(folder))


def _compressed_counts(mask: BoxMask, height: int, width: int) -> str:
    return coco.compress(coco.column_major_counts(mask, height, width))


def _report_progress(source: str, fields: int, tiles: int) -> None:
    print(f"\r{source:28} {fields} fields, {tiles} new tiles", end="", file=sys.stderr, flush=True)
