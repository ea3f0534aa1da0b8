"""`info`: what a weight file is."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from worker.cellsam.checkpoint import (
    file_sha256,
    load,
    read_card,
    state_hash,
)
from worker.cellsam.cli.arguments import Commands, add_command, add_weights


def info_command(options: argparse.Namespace) -> None:
    """What a weight file says about itself, and its hashes."""
    config, card = read_card(options.weights)
    model = load(options.weights)
    about = {
        "file": str(options.weights),
        "bytes": options.weights.stat().st_size,
        "sha256": file_sha256(options.weights),
        "trunk": state_hash(model.trunk.state_dict()),
        "neck": state_hash(model.neck.state_dict()),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "config": asdict(config),
        "card": asdict(card),
    }
    print(json.dumps(about, indent=2))


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    add_weights(add_command(commands, "info", info_command))
