"""The weights that were released for CellSAM, under their names there, as a model of ours.

The released layout holds up to three SAM encoders: `model.*`, `model_cp.*`, and the trunk inside `cellfinder.*`. With
`model_cp.*` present the released code masks with it, prepares images in another way, and leaves `model.*` unused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from worker.cellsam.build import build
from worker.cellsam.checkpoint import Card, check_state, file_sha256, load_state
from worker.cellsam.config import PUBLISHED, PUBLISHED_PLAIN, CellSAMConfig
from worker.cellsam.model import CellSAM
from worker.cellsam.torch_files import read_state_dict

LICENCE = (
    "Weights of CellSAM (Van Valen Lab, California Institute of Technology): Modified Apache 2.0, "
    "for non-commercial academic use only. Commercial use: vanvalenlab@gmail.com"
)
SECOND_SAM, FIRST_SAM = "model_cp.", "model."
FINDER = "cellfinder.decode_head."
HEAD = re.compile(rf"{re.escape(FINDER)}transformer\.(?:class|bbox)_embed\.(\d+)\.")


def read_released(path: Path) -> tuple[CellSAM, Card]:
    """The model in a released `.pt` file, and what is known about it.

    Raises CheckpointError as `torch_files.read_state_dict` and `released_model` do.
    """
    model = released_model(read_state_dict(path), source=path.name)
    training = {
        "source": path.name,
        "sha256": file_sha256(path),
        "mode": model.config.strategies.inputs,
        "data": "see the paper: Israel et al., A Foundation Model for Cell Segmentation",
    }
    return model, Card(training=training, licence=LICENCE)


def released_model(
    tensors: Mapping[str, Tensor],
    *,
    source: str,
    adversarial: CellSAMConfig = PUBLISHED,
    plain: CellSAMConfig = PUBLISHED_PLAIN,
) -> CellSAM:
    """The model of a released state dict, in float32 and evaluation mode; `model_cp.*` decides between the two modes.

    Strict: raises CheckpointError naming, as the file does, each tensor that is missing, of another shape, or unknown.
    Known and dropped are the encoder that the mode leaves unused, and copies of CellFinder's heads for training.
    """
    second = any(name.startswith(SECOND_SAM) for name in tensors)
    config = adversarial if second else plain
    with torch.device("meta"):  # shapes alone: a file that does not fit is refused at once
        wanted = build(config).state_dict()
    names = {released_name(name, config, second_sam=second): name for name in wanted}
    used = {
        name: tensor
        for name, tensor in tensors.items()
        if name in names or not _is_unused(name, config, second)
    }
    check_state({name: wanted[own] for name, own in names.items()}, used, source=source)
    with torch.random.fork_rng(devices=[]):  # building draws random weights
        model = build(config)
    load_state(model, {own: used[name] for name, own in names.items()}, source=source)
    return model.eval()


def released_name(name: str, config: CellSAMConfig, *, second_sam: bool) -> str:
    """A parameter of ours -> its name in the released file."""
    part, rest = name.split(".", 1)
    sam = SECOND_SAM if second_sam else FIRST_SAM
    if part == "trunk":
        return f"{sam}image_encoder.{rest}"
    if part == "neck":
        return f"{sam}image_encoder.neck.{rest}"
    if part == "finder_trunk":
        return f"{FINDER}backbone.body.{rest}"
    if part == "finder":
        return FINDER + _finder_name(rest, last=config.finder.decoder_layers - 1)
    return f"{sam}{name}"


def _finder_name(name: str, *, last: int) -> str:
    part, _, rest = name.partition(".")
    if part == "input_proj":  # one for each resolution of the backbone, which has one
        return f"input_proj.0.{rest}"
    if part == "class_embed":  # one for each decoder layer; the last one answers
        return f"transformer.class_embed.{last}.{rest}"
    if part == "bbox_embed":
        layer, leaf = rest.split(".")
        return f"transformer.bbox_embed.{last}.layers.{int(layer) // 2}.{leaf}"  # ours counts the activations
    return f"transformer.{name}"


def _is_unused(name: str, config: CellSAMConfig, second_sam: bool) -> bool:
    head = HEAD.match(name)
    if head:
        return int(head[1]) < config.finder.decoder_layers - 1
    return second_sam and name.startswith(FIRST_SAM)
