"""Model versions: the one that new projects start from, and how a worker finds the weights."""

from __future__ import annotations

from typing import Any

from labeling.models import Job, ModelVersion

_OF_ITS_RUN = ("metrics", "config", "curve", "snapshot", "evaluation")


def default_version() -> ModelVersion | None:
    """The base that was registered last."""
    return ModelVersion.objects.filter(project__isnull=True).order_by("-number").first()


def version_for_job(job: Job) -> ModelVersion | None:
    """The version that the job names, else the project's active one; None if that is gone or there is none."""
    named = job.payload.get("version")
    if named is None:
        return job.project.active_version
    return ModelVersion.objects.select_related("parent").filter(pk=named).first()


def base_of(version: ModelVersion) -> ModelVersion:
    """The version with the full weights that ``version`` rests on: itself for a base and for an imported model."""
    return version.parent if version.parent is not None else version


def version_spec(version: ModelVersion) -> dict[str, Any]:
    """All that a worker without a database needs to load the version: plain JSON, paths relative to the storage.

    ``{"base": {"path", "sha256"}, "tuned": {"path", "sha256"} | None, "trunk_hash", "neck_hash", "finder_hash",
    "threshold"}``. The hashes are those of the version's own parts; an empty finder_hash was not recorded.
    """
    return {
        "base": _file(base_of(version)),
        "tuned": _file(version) if version.parent is not None else None,
        "trunk_hash": version.trunk_hash,
        "neck_hash": version.neck_hash,
        "finder_hash": version.finder_hash,
        "threshold": version.threshold,
    }


def fields_of_its_run(path: str) -> list[str]:
    """What a version, reached by ``path``, carries of the run that made it. To be deferred by all who do not show it:
    it grows with the images of the project."""
    return [f"{path}__{field}" for field in _OF_ITS_RUN]


def _file(version: ModelVersion) -> dict[str, str]:
    return {"path": str(version.weights.name), "sha256": version.weights_sha256}
