"""`info`: what a weight file is."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from worker.cellsam.checkpoint import Card, file_sha256, load, read_card, state_hash, trunk_hash
from worker.cellsam.cli.arguments import Commands, add_command, add_weights
from worker.cellsam.config import CellSAMConfig


def info_command(options: argparse.Namespace) -> None:
    """What a weight file says about itself: model, licence, training data, figures, thresholds, hashes."""
    config, card = read_card(options.weights)
    model = load(options.weights)
    about = {
        "file": str(options.weights),
        "bytes": options.weights.stat().st_size,
        "sha256": file_sha256(options.weights),
        "trunk": trunk_hash(model),
        "neck": state_hash(model.neck.state_dict()),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "config": asdict(config),
        "card": asdict(card),
    }
    print(json.dumps(about, indent=2) if options.json else _for_people(options.weights, about, config, card))


def _for_people(path: Path, about: Mapping[str, Any], config: CellSAMConfig, card: Card) -> str:
    tiling, thresholds = config.tiling, config.thresholds
    lines = {
        "file": f"{path} ({about['bytes'] / 2**20:.1f} MB)",
        "model": f"{config.name}, {about['parameters'] / 1e6:.1f} million parameters",
        "licence": card.licence or "not stated",
        "trained on": _listed(card.training.get("data")) or "not stated",
        "images": f"tiles of {tiling.tile_px} px, {tiling.overlap_px} px of overlap, enlarged {tiling.scale} times",
        "thresholds": f"box score {thresholds.box:g}, predicted IoU {thresholds.iou:g}",
        **{f"figures, {name}": _listed(figures) for name, figures in card.metrics.items()},
        "sha256": about["sha256"],
        "trunk": about["trunk"],
        "neck": about["neck"],
    }
    width = max(map(len, lines))
    return "\n".join(f"{name:{width}}  {value}" for name, value in lines.items())


def _listed(value: object) -> str:
    """Plain JSON in a line, for eyes."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_listed(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(_listed, value))
    return "" if value is None else str(value)


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "info", info_command)
    add_weights(parser)
    parser.add_argument(
        "--json", action="store_true", help="everything, with the whole configuration, as JSON"
    )
