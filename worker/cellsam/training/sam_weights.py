"""SAM's published weights (`sam_vit_b_01ec64.pth` and its like) as the start of a CellSAM."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from worker.cellsam.checkpoint import load_state
from worker.cellsam.model import CellSAM
from worker.cellsam.torch_files import read_state_dict


def load_sam(model: CellSAM, path: Path) -> None:
    """Put SAM's image encoder, prompt encoder and mask decoder into `model`; CellFinder keeps its fresh weights.

    The file is PyTorch's format, read with `weights_only`: nothing in it is executed. Raises CheckpointError if the
    file is missing, no such state dict, or does not have exactly the tensors that this model's configuration asks for;
    keys are named as SAM names them.
    """
    load_state(_as_sam(model), read_state_dict(path), source=path.name)


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
