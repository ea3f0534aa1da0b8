"""Model versions: registering a base from a weight file, and adding a tuned one. Weights are never changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import numpy as np
from django.core.files import File
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Max
from safetensors import SafetensorError, safe_open

from labeling.errors import Invalid
from labeling.models import ModelVersion, Project, Promotion, TrainingRun, VersionStatus

FORMAT = "cellloop-cellsam-1"
ARCHITECTURES = ("tiny", "vit_b")


def model_version_register(*, path: Path) -> ModelVersion:
    """Register a full weight file as a base. The same file again gives the same version.

    Projects without a model start to use it. Raises Invalid if the file is not one of ours.
    """
    sha256 = _file_sha256(path)
    known = ModelVersion.objects.filter(project__isnull=True, weights_sha256=sha256).first()
    return known or _register(path, sha256)


@transaction.atomic
def _register(path: Path, sha256: str) -> ModelVersion:
    version = _read_base(path)
    version.weights_sha256 = sha256
    number = ModelVersion.objects.filter(project__isnull=True).aggregate(last=Max("number"))["last"] or 0
    version.number, version.name = number + 1, f"{version.architecture} {number + 1}"
    with path.open("rb") as file:
        version.weights.save(path.name, File(file), save=False)
    version.save(force_insert=True)
    for project in Project.objects.select_for_update().filter(active_version__isnull=True):
        project.active_version = version
        project.save(update_fields=["active_version"])
        Promotion.objects.create(project=project, version=version)
    return version


def version_add(
    *, run: TrainingRun, neck_weights: bytes, neck_hash: str, threshold: float, metrics: dict[str, Any]
) -> ModelVersion:
    """The tuned version that a run made, as a candidate. The caller holds the project's lock."""
    base, project = run.base, run.project
    number = ModelVersion.objects.filter(project=project).aggregate(last=Max("number"))["last"] or 0
    version = ModelVersion(
        project=project, number=number + 1, name=f"v{number + 1}", parent=base, architecture=base.architecture,
        weights_sha256=hashlib.sha256(neck_weights).hexdigest(), trunk_hash=base.trunk_hash, neck_hash=neck_hash,
        preprocessing=base.preprocessing, threshold=threshold, licence=base.licence, metrics=metrics,
        status=VersionStatus.CANDIDATE,
    )  # fmt: skip
    version.weights.save("neck.safetensors", ContentFile(neck_weights), save=False)
    version.save(force_insert=True)
    return version


def _read_base(path: Path) -> ModelVersion:
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = dict(file.metadata() or {})
            if metadata.get("format") != FORMAT:
                raise Invalid(
                    f"{path.name} is not a CellLoop model: its format is {metadata.get('format')!r}."
                )
            config = json.loads(metadata["config"])
            hashes = {
                part: metadata.get(f"{part}_hash") or _part_hash(file, part) for part in ("trunk", "neck")
            }
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise Invalid(f"{path.name} cannot be read as a model: {error}") from error
    if config["name"] not in ARCHITECTURES:
        raise Invalid(f"{path.name}: there is no architecture {config['name']!r}.")
    return ModelVersion(
        architecture=config["name"],
        trunk_hash=hashes["trunk"],
        neck_hash=hashes["neck"],
        preprocessing=metadata.get("preprocessing") or _preprocessing(config),
        threshold=config["thresholds"]["box"],
        licence=metadata.get("licence", ""),
        metrics=json.loads(metadata.get("metrics", "{}")),
        status=VersionStatus.BASE,
    )


def _preprocessing(config: dict[str, Any]) -> str:
    """A name that changes with how pixels reach the trunk: its input, the tiling, whether stains keep colour."""
    shaping = json.dumps([config["trunk"], config["tiling"], config.get("colour", False)], sort_keys=True)
    return f"{config['name']}-{hashlib.sha256(shaping.encode()).hexdigest()[:16]}"


def _part_hash(file: Any, part: str) -> str:
    """SHA-256 over names, shapes and float32 values of the tensors of one part, names without its prefix."""
    digest, prefix = hashlib.sha256(), f"{part}."
    for key in sorted(name for name in cast(Iterable[str], file.keys()) if name.startswith(prefix)):
        tensor = np.ascontiguousarray(file.get_tensor(key), dtype=np.float32)
        digest.update(f"{key.removeprefix(prefix)}{tuple(tensor.shape)}".encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()


def _file_sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
