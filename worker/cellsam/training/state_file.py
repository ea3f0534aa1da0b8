"""What a run needs to go on, on disk: tensors by name and JSON beside them, in one safetensors file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from worker.cellsam.checkpoint import CheckpointError

Tensors = dict[str, Tensor]


def write_state(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """The file appears at once or not at all."""
    unfinished = path.with_name(path.name + ".part")
    packed = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    save_file(packed, unfinished, metadata={name: json.dumps(value) for name, value in about.items()})
    unfinished.replace(path)


def read_state(path: Path, about: Sequence[str]) -> tuple[Tensors, dict[str, Any]]:
    """The tensors, and the JSON under these names. Raises CheckpointError if the file is not such a state."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
            metadata = file.metadata() or {}
        return tensors, {name: json.loads(metadata[name]) for name in about}
    except (SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path.name} is not a training state: {error}") from error


def part(tensors: Mapping[str, Tensor], prefix: str) -> Tensors:
    """Those whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def with_prefix(tensors: Mapping[str, Tensor], prefix: str) -> Tensors:
    """The inverse of `part`."""
    return {prefix + name: tensor for name, tensor in tensors.items()}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> Tensors:
    """What the optimiser remembers, as `<parameter's number>.<slot>`."""
    slots = optimizer.state_dict()["state"]
    return {f"{index}.{name}": tensor for index, of in slots.items() for name, tensor in of.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `optimizer_tensors`; rates and decay stay as they are."""
    slots: dict[int, Tensors] = {}
    for name, tensor in tensors.items():
        index, slot = name.split(".")
        slots.setdefault(int(index), {})[slot] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": slots})
