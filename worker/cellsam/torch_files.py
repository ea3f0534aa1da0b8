"""Other people's weights in PyTorch's own format, read without executing anything in them."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from worker.cellsam.checkpoint import CheckpointError


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Tensors by name; those under `state_dict`, as PyTorch Lightning keeps them, if there is such an entry.

    Raises CheckpointError if the file is missing, no PyTorch file, holds anything that only execution could restore
    (`weights_only` refuses it), or is no state dict.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such weight file") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path.name}: not a PyTorch weight file: {error}") from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    ):
        raise CheckpointError(f"{path.name}: not a state dict of tensors")
    return dict(content)
