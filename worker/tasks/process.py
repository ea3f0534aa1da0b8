"""The engine of this process, made when it is first asked for, and what the database's words mean to it."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage

from labeling.selectors.features import submitted_feature_keys
from worker.engine import Engine
from worker.features import FeatureStore
from worker.weights import VersionWeights, WeightFile

BACKGROUND_MEMORY_BYTES = 2**26


@cache
def background_engine() -> Engine:
    """For jobs: on one thread of a CPU, so that a box finds the other ones free. An image seldom comes twice."""
    return Engine(
        features=_store(), threads=settings.TORCH_THREADS_BACKGROUND, memory_bytes=BACKGROUND_MEMORY_BYTES
    )


@cache
def interactive_engine() -> Engine:
    """For people who wait: on all cores."""
    return Engine(
        features=_store(), threads=settings.TORCH_THREADS_INTERACTIVE or len(os.sched_getaffinity(0))
    )


def version_weights(spec: dict[str, Any]) -> VersionWeights:
    """The plain form of `labeling.selectors.model_versions.version_spec`, with paths on this machine."""
    return VersionWeights(
        base=_file(spec["base"]),
        tuned=None if spec["tuned"] is None else _file(spec["tuned"]),
        trunk_hash=str(spec["trunk_hash"]),
        neck_hash=str(spec["neck_hash"]),
        finder_hash=str(spec["finder_hash"]),
        threshold=float(spec["threshold"]),
    )


def shipped_weights() -> WeightFile:
    """The base that this installation starts with; the registered copy has the same digest."""
    path = Path(settings.CELLLOOP_WEIGHTS)
    with path.open("rb") as handle:
        return WeightFile(path, hashlib.file_digest(handle, "sha256").hexdigest())


def _file(spec: dict[str, Any]) -> WeightFile:
    return WeightFile(Path(default_storage.path(spec["path"])), str(spec["sha256"]))


def _store() -> FeatureStore:
    return FeatureStore(
        Path(settings.FEATURES_DIR),
        budget_bytes=int(settings.FEATURES_BUDGET_GB * 2**30),
        protected=submitted_feature_keys,
    )
