"""Weight files: safetensors only, with all that is needed to rebuild the model and to say where it came from.

Two kinds: a whole model, and the parts that fine-tuning changed, which name the trunk that they were tuned on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors
from safetensors.torch import save_file
from torch import Tensor, nn

from worker.cellsam.build import build
from worker.cellsam.channels import preprocessing_name
from worker.cellsam.config import CellSAMConfig, ConfigError
from worker.cellsam.model import CellSAM

MODEL_FORMAT = "cellloop-cellsam-1"
TUNED_FORMAT = "cellloop-tuned-1"
NECK_FORMAT = "cellloop-neck-1"  # of earlier releases, still read: a neck's tensors under its own names
# A model's parts by attribute, and the names of their tensors in a tuned file.
TUNED_PREFIXES = {"neck": "neck.", "finder": "cellfinder.", "trunk": "trunk."}
PARTS_OF_RUNG = {1: {"neck"}, 2: {"neck", "finder"}, 3: {"neck", "finder", "trunk"}}
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
class TunedFile:
    """What fine-tuning changed. `rung` is that of `labeling.ladder`, `parts` weights by the model's attribute.

    `parent_trunk_hash` is that of the base. The other hashes are the tuned model's; `finder_hash` is empty in files of
    earlier releases, whose CellFinder is the base's.
    """

    rung: int
    parts: dict[str, dict[str, Tensor]]
    parent_trunk_hash: str
    trunk_hash: str
    neck_hash: str
    finder_hash: str
    threshold: float
    card: Card = field(default_factory=Card)


def save(model: CellSAM, path: Path, *, card: Card, half: bool = True) -> None:
    """Write a whole model; in float16 unless `half` is false. The file appears at once or not at all."""
    metadata = {"format": MODEL_FORMAT, "config": model.config.to_json(), **_card_metadata(card)}
    tensors = {name: _packed(tensor, half) for name, tensor in model.state_dict().items()}
    if (
        model.finder_trunk is not None
    ):  # a reader of one trunk's tensors could not know what features depend on
        metadata |= {
            "trunk_hash": _trunks_hash([_part(tensors, "trunk."), _part(tensors, "finder_trunk.")]),
            "preprocessing": preprocessing_name(model.config),
        }
    _write(tensors, path, metadata)


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


def tuned_bytes(tuned: TunedFile) -> bytes:
    """A tuned file, in float32: it is small, and exactly what was evaluated. A trunk is large: in float16."""
    metadata = {
        "format": TUNED_FORMAT,
        "rung": str(tuned.rung),
        "parent_trunk_hash": tuned.parent_trunk_hash,
        "trunk_hash": tuned.trunk_hash,
        "neck_hash": tuned.neck_hash,
        "finder_hash": tuned.finder_hash,
        "threshold": repr(float(tuned.threshold)),
        **_card_metadata(tuned.card),
    }
    tensors = {
        TUNED_PREFIXES[part] + name: _packed(tensor, half=part == "trunk")
        for part, state in tuned.parts.items()
        for name, tensor in state.items()
    }
    return save_tensors(tensors, metadata=metadata)


def load_tuned(path: Path | str) -> TunedFile:
    """A tuned file, or a neck file of an earlier release.

    Raises CheckpointError as `load` does, and if the parts are not those of the rung or not what their hashes say.
    """
    path = Path(path)
    tensors, metadata = _read(path, TUNED_FORMAT, NECK_FORMAT)
    try:
        tuned = (
            _of_neck_file(tensors, metadata)
            if metadata["format"] == NECK_FORMAT
            else _of_tuned_file(tensors, metadata)
        )
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{path.name}: the tuned file's metadata is incomplete: {error}") from error
    _check_parts(tuned, path)
    return tuned


def _of_tuned_file(tensors: dict[str, Tensor], metadata: Mapping[str, str]) -> TunedFile:
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        part = next((part for part, prefix in TUNED_PREFIXES.items() if name.startswith(prefix)), None)
        if part is None:
            raise ValueError(f"{name} is of no part that can be tuned")
        own = name.removeprefix(TUNED_PREFIXES[part])
        parts.setdefault(part, {})[own] = tensor.float() if tensor.is_floating_point() else tensor
    return TunedFile(
        rung=int(metadata["rung"]),
        parts=parts,
        parent_trunk_hash=metadata["parent_trunk_hash"],
        trunk_hash=metadata["trunk_hash"],
        neck_hash=metadata["neck_hash"],
        finder_hash=metadata["finder_hash"],
        threshold=float(metadata["threshold"]),
        card=_read_card(metadata),
    )


def _of_neck_file(tensors: dict[str, Tensor], metadata: Mapping[str, str]) -> TunedFile:
    return TunedFile(
        rung=1,
        parts={"neck": tensors},
        parent_trunk_hash=metadata["trunk_hash"],
        trunk_hash=metadata["trunk_hash"],
        neck_hash=state_hash(tensors),
        finder_hash="",
        threshold=float(metadata["box_threshold"]),
        card=_read_card(metadata),
    )


def _check_parts(tuned: TunedFile, path: Path) -> None:
    if set(tuned.parts) != PARTS_OF_RUNG.get(tuned.rung):
        raise CheckpointError(
            f"{path.name}: {', '.join(sorted(tuned.parts))} are not the parts of rung {tuned.rung}"
        )
    said = {"trunk": tuned.trunk_hash, "neck": tuned.neck_hash, "finder": tuned.finder_hash}
    wrong = [part for part, state in tuned.parts.items() if state_hash(state) != said[part]]
    if wrong:
        raise CheckpointError(f"{path.name}: the weights of {', '.join(wrong)} are not what their hash says")
    if "trunk" not in tuned.parts and tuned.trunk_hash != tuned.parent_trunk_hash:
        raise CheckpointError(f"{path.name}: names a trunk of its own and has none")


def load_state(module: nn.Module, tensors: Mapping[str, Tensor], *, source: str) -> None:
    """Strict: every key present, none left over, shapes equal. Raises CheckpointError naming what differs."""
    wanted = module.state_dict()
    check_state(wanted, tensors, source=source)
    module.load_state_dict(
        {name: tensor.to(wanted[name].dtype) for name, tensor in tensors.items()}, strict=True
    )


def check_state(wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor], *, source: str) -> None:
    """Raises CheckpointError naming what is missing, left over or of another shape."""
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
        digest.update(tensor.flatten().numpy().data)
    return digest.hexdigest()


def trunk_hash(model: CellSAM) -> str:
    """One hash for all trunks of a model: features are made, kept and dropped together."""
    return _trunks_hash([trunk.state_dict() for trunk in model.trunks.values()])


def file_sha256(path: Path | str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _trunks_hash(states: Sequence[Mapping[str, Tensor]]) -> str:
    hashes = [state_hash(state) for state in states]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _packed(tensor: Tensor, half: bool) -> Tensor:
    dtype = torch.float16 if half and tensor.is_floating_point() else tensor.dtype
    return tensor.detach().to("cpu", dtype).contiguous().clone()


def _write(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    save_file(tensors, unfinished, metadata=metadata)
    unfinished.chmod(0o644)  # safetensors makes files that only their owner may read
    unfinished.replace(path)


def _read(path: Path, *expected: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    names, metadata = _open(path, *expected)
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in names}, metadata


def _open(path: Path, *expected: str) -> tuple[list[str], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            names, metadata = list(file.keys()), dict(file.metadata() or {})
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such weight file") from error
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path.name}: not a safetensors file: {error}") from error
    if metadata.get("format") not in expected:
        raise CheckpointError(
            f"{path.name}: its format is {metadata.get('format')!r}, expected {' or '.join(map(repr, expected))}"
        )
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
