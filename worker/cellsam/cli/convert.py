"""`convert`: released weights to a file of ours."""

from __future__ import annotations

import argparse
from pathlib import Path

from worker.cellsam.checkpoint import save
from worker.cellsam.cli.arguments import Commands, add_command
from worker.cellsam.released_weights import read_released


def convert_command(options: argparse.Namespace) -> None:
    """CellSAM's released weights (.pt) to a .safetensors file that every other command and the application read."""
    model, card = read_released(options.source)
    save(model, options.out, card=card, half=options.half)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    mode = model.config.strategies.inputs
    print(f"{options.out}: {model.config.name}, {mode} mode, {parameters / 1e6:.1f} M parameters")
    print(card.licence)


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "convert", convert_command)
    parser.add_argument("source", type=Path, help="for example cellsam_general.pt")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument(
        "--half", action="store_true", help="in float16: half the size, not quite the same numbers"
    )
