"""Full model files made of the shipped one, for tests that bring in a version of their own."""

from __future__ import annotations

import json

from safetensors import safe_open
from safetensors.numpy import save

from backend.supervisor import ROOT

BASE = ROOT / "worker" / "weights" / "tiny.safetensors"


def retouched(part: str, factor: float, *, name: str = "tiny") -> bytes:
    """The shipped model with one tensor of `part` (neck, trunk) scaled: another version of the architecture `name`."""
    with safe_open(BASE, framework="np") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
        metadata = file.metadata()
    config = json.loads(metadata["config"]) | {"name": name}
    scaled = next(key for key in sorted(tensors) if key.startswith(f"{part}."))
    tensors[scaled] = (tensors[scaled] * factor).astype(tensors[scaled].dtype)
    return save(tensors, metadata | {"config": json.dumps(config, sort_keys=True)})
