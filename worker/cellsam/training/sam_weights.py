"""SAM's published weights (`sam_vit_b_01ec64.pth` and its like) as the start of a CellSAM."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from worker.cellsam.checkpoint import CheckpointError, load_state
from worker.cellsam.model import CellSAM


def load_sam(model: CellSAM, path: Path) -> None:
    """Put SAM's image encoder, prompt encoder and mask decoder into `model`; CellFinder keeps its fresh weights.

    The file is PyTorch's format, read with `weights_only`: nothing in it is executed. Raises CheckpointError if the
    file is missing, no such state dict, or does not have exactly the tensors that this model's configuration asks for;
    keys are named as SAM names them.
    """
    load_state(_as_sam(model), _read(path), source=path.name)


def _as_sam(model: CellSAM) -> nn.ModuleDict:
    """The same parameters under SAM's names."""
    encoder = nn.Module()
    for name, part in (*model.trunk.named_children(), ("neck", model.neck)):
        encoder.add_module(name, part)
    encoder.register_parameter("pos_embed", model.trunk.pos_embed)
    return nn.ModuleDict(
        {
            "image_encoder": encoder,
            "prompt_encoder": model.prompt_encoder,
            "mask_decoder": model.mask_decoder,
        }
    )


def _read(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such weight file") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path.name}: not a PyTorch weight file: {error}") from error
    if not isinstance(content, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    ):
        raise CheckpointError(f"{path.name}: not a state dict of tensors")
    return dict(content)
