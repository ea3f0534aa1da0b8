"""`benchmark`: how fast the model is on this machine."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from worker.cellsam.benchmark.run import Task, benchmark, machine
from worker.cellsam.build import build
from worker.cellsam.checkpoint import load
from worker.cellsam.cli.arguments import Commands, add_command, add_device
from worker.cellsam.config import CONFIGURATIONS
from worker.cellsam.device import PRECISIONS, choose_device, native_precision
from worker.cellsam.model import CellSAM

NOTHING, PLAIN, DEFAULT_CALL = "nothing", "plain", "default"
BOXES = 198  # of the image that the released code was measured with


def benchmark_command(options: argparse.Namespace) -> None:
    """Seconds and memory by stage, and ratios against a plain port in the same run, as JSON."""
    device = torch.device(choose_device(options.device))
    if options.threads:
        torch.set_num_threads(options.threads)
    model = _model(options).to(device).eval()
    boxes = options.boxes if options.boxes or options.weights else BOXES
    task = Task(
        image_px=options.image_size or model.config.tiling.tile_px,
        boxes=boxes,
        repeat=options.repeat,
        precisions=_precisions(options.precision, device),
        against=options.against,
    )
    figures = {
        "config": model.config.name,
        "weights": str(options.weights or "random"),
        **machine(device),
        **benchmark(model, task),
    }
    print(json.dumps(figures, indent=2))


def _model(options: argparse.Namespace) -> CellSAM:
    if options.weights:
        return load(options.weights)
    torch.manual_seed(0)
    return build(CONFIGURATIONS[options.config])


def _precisions(wanted: str, device: torch.device) -> tuple[torch.dtype | None, ...]:
    """float32 always, as what the others are compared with."""
    other = native_precision(device) if wanted == "auto" else PRECISIONS[wanted]
    return (None,) if other is None else (None, other)


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "benchmark", benchmark_command)
    parser.add_argument("--config", choices=sorted(CONFIGURATIONS), default="tiny")
    parser.add_argument(
        "--weights", type=Path, help="a weight file; default: random weights of the configuration"
    )
    parser.add_argument(
        "--precision",
        choices=["auto", *PRECISIONS],
        default="auto",
        help="measured beside fp32; auto: bf16 if the device computes in it",
    )
    add_device(parser)
    parser.add_argument("--threads", type=int, default=0, help="default: torch's own choice")
    parser.add_argument("--image-size", type=int, help="pixels on a side; default: one tile")
    parser.add_argument("--boxes", type=int, help=f"placed, not found; default: {BOXES} with random weights")
    parser.add_argument("--repeat", type=int, default=2, help="the fastest of so many runs counts")
    parser.add_argument(
        "--against",
        choices=[NOTHING, PLAIN, DEFAULT_CALL],
        default=PLAIN,
        help="the released procedure ported plainly; default: also its default call, which cuts images up",
    )
