"""Verified weight files and the models made of them. A base is loaded once; a tuned version adds its neck alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from worker.cellsam import Predictor, load
from worker.cellsam.checkpoint import load_neck
from worker.features import MemoryCache


class WeightsError(ValueError):
    """A weight file is not the one that the version names; nothing is served from it."""


@dataclass(frozen=True, slots=True)
class WeightFile:
    """A file on this machine and the SHA-256 (hex) that it must have."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class VersionWeights:
    """All that is needed to serve one model version.

    `neck` is None for a base version, whose neck is in the base file. `threshold` is CellFinder's, in [0, 1].
    """

    base: WeightFile
    neck: WeightFile | None
    neck_hash: str
    threshold: float


class ModelLibrary:
    """Predictors by version, in memory. Tuned versions of one base share its trunk, CellFinder and decoder.

    A version's weights never change, so an entry never goes stale; a promotion is simply another version.
    """

    def __init__(
        self, *, device: str = "cpu", base_budget_bytes: int = 2**31, neck_budget_bytes: int = 2**28
    ) -> None:
        self._device = device
        self._bases: MemoryCache[Predictor] = MemoryCache(budget_bytes=base_budget_bytes)
        self._versions: MemoryCache[Predictor] = MemoryCache(budget_bytes=neck_budget_bytes)

    def predictor(self, version: VersionWeights) -> Predictor:
        """The version, ready to use.

        Raises WeightsError if a file is missing or is not what the version says, CheckpointError if it is no model.
        """
        key = (version.base.sha256, version.neck_hash, version.threshold)
        found = self._versions.get(key)
        if found is None:
            found = self._make(version)
            self._versions.put(key, found, byte_size=_byte_size(found, part="neck"))
        return found

    def base(self, file: WeightFile) -> Predictor:
        """The whole model of a base file, with the thresholds of its own configuration."""
        found = self._bases.get(file.sha256)
        if found is None:
            found = Predictor(load(verified(file), device=self._device))
            self._bases.put(file.sha256, found, byte_size=_byte_size(found))
        return found

    def _make(self, version: VersionWeights) -> Predictor:
        base = self.base(version.base)
        if version.neck is None:
            state = base.model.neck.state_dict()
        else:
            neck = load_neck(verified(version.neck))
            if neck.trunk_hash != base.trunk_hash:
                raise WeightsError(
                    f"{version.neck.path.name} was tuned on another base than {version.base.path.name}"
                )
            state = neck.state_dict
        made = base.with_neck(state, threshold=version.threshold)
        if made.neck_hash != version.neck_hash:
            raise WeightsError(
                f"the neck's hash is {made.neck_hash[:12]}, the version says {version.neck_hash[:12]}"
            )
        return made


def verified(file: WeightFile) -> Path:
    """The file's path, once its bytes were read and found to be the promised ones. Raises WeightsError."""
    try:
        with file.path.open("rb") as handle:
            found = hashlib.file_digest(handle, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise WeightsError(f"the weight file {file.path.name} is missing") from error
    if found != file.sha256:
        raise WeightsError(
            f"the weight file {file.path.name} was changed: SHA-256 {found}, expected {file.sha256}"
        )
    return file.path


def _byte_size(predictor: Predictor, *, part: str | None = None) -> int:
    module = predictor.model if part is None else predictor.model.get_submodule(part)
    return sum(tensor.numel() * tensor.element_size() for tensor in module.state_dict().values())
