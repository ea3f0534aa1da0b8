"""`segment`: from an image file to a label file."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from labeling.formats import FORMATS, LabelledCell, LabelSet
from labeling.pixels import read_pixels
from worker.cellsam.channels import CHANNEL_ROLES
from worker.cellsam.checkpoint import (
    load,
)
from worker.cellsam.cli.arguments import Commands, add_command, add_weights
from worker.cellsam.predictor import Predictor


def segment_command(options: argparse.Namespace) -> None:
    """One image file to a label TIFF."""
    with options.image.open("rb") as file:
        pixels = read_pixels(file, options.image.name)
    roles = options.roles.split(",") if options.roles else None
    started = time.perf_counter()
    found = Predictor(load(options.weights)).segment(pixels.array.transpose(1, 2, 0), roles)
    seconds = time.perf_counter() - started
    out = options.out or options.image.with_name(f"{options.image.stem}_labels.tif")
    cells = tuple(
        LabelledCell(label=label, mask=mask, score=float(score), source="model")
        for label, (mask, score) in enumerate(zip(found.masks, found.scores, strict=True), start=1)
    )
    labels = LabelSet(height=found.labels.shape[0], width=found.labels.shape[1], cells=cells)
    out.write_bytes(FORMATS["label-tiff"].write(labels).data)
    print(f"{out}: {len(cells)} cells in {seconds:.1f} s")


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    segment = add_command(commands, "segment", segment_command)
    segment.add_argument("image", type=Path, help="PNG, JPEG, TIFF or .npy")
    segment.add_argument("--out", type=Path, help="label TIFF (default: beside the image)")
    segment.add_argument(
        "--roles", help=f"a role for each channel, comma-separated: {', '.join(CHANNEL_ROLES)}"
    )
    add_weights(segment)
