"""Weight files: safetensors only, with all that is needed to rebuild the model and to say where it came from.

Two kinds: a whole model, and a neck alone (a fine-tuned version, which names the trunk that it belongs to).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from worker.cellsam.build import build
from worker.cellsam.config import CellSAMConfig, ConfigError
from worker.cellsam.model import CellSAM

MODEL_FORMAT = "cellloop-cellsam-1"
NECK_FORMAT = "cellloop-neck-1"
MAX_NAMED = 5  # keys spelled out in an error


class CheckpointError(ValueError):
    """This file is not a usable weight file; the message says why and names the file."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a weight file says about itself, beside its configuration. Values are plain JSON."""

    training: dict[str, Any] = field(default_factory=dict)  # data sets, licences, command, minutes
    metrics: dict[str, Any] = field(default_factory=dict)
    licence: str = ""


@dataclass(frozen=True, slots=True)
class NeckFile:
    """A fine-tuned neck. `trunk_hash` is that of the trunk whose features it was trained on."""

    state_dict: dict[str, Tensor]
    trunk_hash: str
    box_threshold: float
    card: Card


def save(model: CellSAM, path: Path, *, card: Card, half: bool = True) -> None:
    """Write a whole model; in float16 unless `half` is false. The file appears at once or not at all."""
    metadata = {"format": MODEL_FORMAT, "config": model.config.to_json(), **_card_metadata(card)}
    _write({name: _packed(tensor, half) for name, tensor in model.state_dict().items()}, path, metadata)


def load(path: Path | str, *, device: str = "cpu") -> CellSAM:
    """The model in float32, in evaluation mode.

    Raises CheckpointError if the file is missing, no safetensors file, of another format, or its tensors are not
    exactly those of the configuration that it carries.
    """
    path = Path(path)
    tensors, metadata = _read(path, MODEL_FORMAT)
    try:
        config = CellSAMConfig.from_json(metadata.get("config", ""))
    except ConfigError as error:
        raise CheckpointError(f"{path.name}: {error}") from error
    with torch.random.fork_rng(
        devices=[]
    ):  # building draws random weights: leave the caller's sequence alone
        model = build(config)
    load_state(model, tensors, source=path.name)
    return model.to(device).eval()


def read_card(path: Path | str) -> tuple[CellSAMConfig, Card]:
    """Configuration and card of a whole-model file, without its tensors."""
    path = Path(path)
    metadata = _open(path, MODEL_FORMAT)[1]
    return CellSAMConfig.from_json(metadata["config"]), _read_card(metadata)


def save_neck(
    state_dict: Mapping[str, Tensor], path: Path, *, trunk_hash: str, box_threshold: float, card: Card
) -> None:
    """Write a neck alone, in float32: it is small, and exactly what was evaluated."""
    metadata = {
        "format": NECK_FORMAT,
        "trunk_hash": trunk_hash,
        "box_threshold": repr(float(box_threshold)),
        **_card_metadata(card),
    }
    _write({name: _packed(tensor, half=False) for name, tensor in state_dict.items()}, path, metadata)


def load_neck(path: Path | str) -> NeckFile:
    """Raises CheckpointError as `load` does."""
    path = Path(path)
    tensors, metadata = _read(path, NECK_FORMAT)
    try:
        return NeckFile(
            tensors, metadata["trunk_hash"], float(metadata["box_threshold"]), _read_card(metadata)
        )
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{path.name}: the neck file's metadata is incomplete: {error}") from error


def load_state(module: nn.Module, tensors: Mapping[str, Tensor], *, source: str) -> None:
    """Strict: every key present, none left over, shapes equal. Raises CheckpointError naming what differs."""
    wanted = module.state_dict()
    problems = [
        *_named("missing", sorted(set(wanted) - set(tensors))),
        *_named("unexpected", sorted(set(tensors) - set(wanted))),
        *_named(
            "of another shape",
            [
                f"{name} {tuple(tensors[name].shape)} instead of {tuple(wanted[name].shape)}"
                for name in sorted(set(wanted) & set(tensors))
                if tensors[name].shape != wanted[name].shape
            ],
        ),
    ]
    if problems:
        raise CheckpointError(f"{source} does not fit this model: {'; '.join(problems)}")
    module.load_state_dict(
        {name: tensor.to(wanted[name].dtype) for name, tensor in tensors.items()}, strict=True
    )


def with_thresholds(model: CellSAM, *, box: float) -> CellSAM:
    """The same model, in place, with another box threshold in its configuration."""
    model.config = replace(model.config, thresholds=replace(model.config.thresholds, box=box))
    return model


def state_hash(state_dict: Mapping[str, Tensor]) -> str:
    """sha256 over names, shapes and float32 values; the same on every device."""
    digest = hashlib.sha256()
    for name in sorted(state_dict):
        tensor = state_dict[name].detach().to("cpu", torch.float32).contiguous()
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def file_sha256(path: Path | str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _packed(tensor: Tensor, half: bool) -> Tensor:
    dtype = torch.float16 if half and tensor.is_floating_point() else tensor.dtype
    return tensor.detach().to("cpu", dtype).contiguous().clone()


def _write(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    save_file(tensors, unfinished, metadata=metadata)
    unfinished.chmod(0o644)  # safetensors makes files that only their owner may read
    unfinished.replace(path)


def _read(path: Path, expected: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    names, metadata = _open(path, expected)
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in names}, metadata


def _open(path: Path, expected: str) -> tuple[list[str], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            names, metadata = list(file.keys()), dict(file.metadata() or {})
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such weight file") from error
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path.name}: not a safetensors file: {error}") from error
    if metadata.get("format") != expected:
        raise CheckpointError(f"{path.name}: its format is {metadata.get('format')!r}, expected {expected!r}")
    return names, metadata


def _card_metadata(card: Card) -> dict[str, str]:
    return {
        "training": json.dumps(card.training),
        "metrics": json.dumps(card.metrics),
        "licence": card.licence,
    }


def _read_card(metadata: Mapping[str, str]) -> Card:
    return Card(
        training=json.loads(metadata.get("training", "{}")),
        metrics=json.loads(metadata.get("metrics", "{}")),
        licence=metadata.get("licence", ""),
    )


def _named(word: str, keys: list[str]) -> list[str]:
    if not keys:
        return []
    rest = f" and {len(keys) - MAX_NAMED} more" if len(keys) > MAX_NAMED else ""
    return [f"{word}: {', '.join(keys[:MAX_NAMED])}{rest}"]
