"""Model versions: the one that new projects start from, and how a worker finds the weights."""

from __future__ import annotations

from typing import Any

from labeling.models import ModelVersion


def default_version() -> ModelVersion | None:
    """The base that was registered last."""
    return ModelVersion.objects.filter(project__isnull=True).order_by("-number").first()


def base_of(version: ModelVersion) -> ModelVersion:
    """The version with the full weights that ``version`` rests on: itself for a base."""
    return version.parent if version.parent is not None else version


def version_spec(version: ModelVersion) -> dict[str, Any]:
    """All that a worker without a database needs to load the version: plain JSON, paths relative to the storage.

    A tuned version carries its base under ``base``; for a base that is null.
    """
    spec = _own_spec(version)
    spec["base"] = _own_spec(version.parent) if version.parent is not None else None
    return spec


def _own_spec(version: ModelVersion) -> dict[str, Any]:
    return {
        "id": str(version.pk),
        "architecture": version.architecture,
        "weights": version.weights.name,
        "weights_sha256": version.weights_sha256,
        "trunk_hash": version.trunk_hash,
        "neck_hash": version.neck_hash,
        "preprocessing": version.preprocessing,
        "threshold": version.threshold,
    }
