"""Verified weight files and the models made of them. A base is loaded once; a tuned version adds what differs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from worker.cellsam import Predictor, load
from worker.cellsam.checkpoint import load_tuned
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

    `tuned` is None for a version that is a whole model. The hashes are those of the version's own parts; an empty
    `finder_hash` was not recorded, by an earlier release. `threshold` is CellFinder's, in [0, 1].
    """

    base: WeightFile
    tuned: WeightFile | None
    trunk_hash: str
    neck_hash: str
    finder_hash: str
    threshold: float

    def check(self, made: Predictor) -> None:
        """Raise WeightsError unless the model that was made of the files is the version's."""
        for part in ("trunk", "neck", "finder"):
            promised, found = getattr(self, f"{part}_hash"), getattr(made, f"{part}_hash")
            if promised and found != promised:
                raise WeightsError(f"the {part}'s hash is {found[:12]}, the version says {promised[:12]}")


class ModelLibrary:
    """Predictors by version, in memory. Tuned versions of one base share all parts that tuning left as they were.

    A version's weights never change, so an entry never goes stale; a promotion is simply another version.
    """

    def __init__(
        self, *, device: str = "cpu", base_budget_bytes: int = 2**31, tuned_budget_bytes: int = 2**30
    ) -> None:
        self._device = device
        self._bases: MemoryCache[Predictor] = MemoryCache(budget_bytes=base_budget_bytes)
        self._versions: MemoryCache[Predictor] = MemoryCache(budget_bytes=tuned_budget_bytes)

    def predictor(self, version: VersionWeights) -> Predictor:
        """The version, ready to use.

        Raises WeightsError if a file is missing or is not what the version says, CheckpointError if it is no model.
        """
        tuned = version.tuned
        key = (version.base.sha256, tuned.sha256 if tuned else None, version.threshold)
        found = self._versions.get(key)
        if found is None:
            base = self.base(version.base)
            found = self._tuned(base, version.base, tuned, version.threshold)
            version.check(found)
            self._versions.put(key, found, byte_size=_own_bytes(found, base))
        return found

    def base(self, file: WeightFile) -> Predictor:
        """The whole model of a base file, with the thresholds of its own configuration."""
        found = self._bases.get(file.sha256)
        if found is None:
            found = Predictor(load(verified(file), device=self._device))
            self._bases.put(file.sha256, found, byte_size=_byte_size(found.model))
        return found

    def _tuned(
        self, base: Predictor, base_file: WeightFile, file: WeightFile | None, threshold: float
    ) -> Predictor:
        if file is None:
            return base.with_parts({}, threshold=threshold)
        tuned = load_tuned(verified(file))
        if tuned.parent_trunk_hash != base.trunk_hash:
            raise WeightsError(f"{file.path.name} was tuned on another base than {base_file.path.name}")
        return base.with_parts(tuned.parts, threshold=threshold)


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


def _byte_size(module: nn.Module) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in module.state_dict().values())


def _own_bytes(made: Predictor, base: Predictor) -> int:
    """Bytes of the parts that a version does not share with its base; at least one, for an entry is no gift."""
    own = (part for name, part in made.model.named_children() if part is not base.model.get_submodule(name))
    return max(1, sum(map(_byte_size, own)))
