"""Model versions: registering a base from a weight file, and adding a tuned one. Weights are never changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Max

from labeling.errors import Invalid
from labeling.gate import ImageScore
from labeling.ladder import Rung
from labeling.models import ModelVersion, Project, Promotion, TrainingRun, VersionStatus
from labeling.models.model_version import ARCHITECTURES
from labeling.weight_files import Header, WeightFileError, part_hash, read_header, trunk_hash

FORMAT = "cellloop-cellsam-1"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedCandidate:
    """What a run made on one rung of the ladder: a safetensors file of the tuned parts, and how it did.

    ``scores`` are its own on the run's held-out images; ``curve`` and ``config`` are plain JSON.
    """

    rung: Rung
    weights: bytes
    trunk_hash: str
    neck_hash: str
    finder_hash: str
    threshold: float
    scores: Sequence[ImageScore]
    curve: list[Any]
    config: dict[str, Any]


def version_add(
    *,
    run: TrainingRun,
    candidate: TrainedCandidate,
    status: VersionStatus,
    reason: str,
    metrics: dict[str, Any],
    evaluation: dict[str, Any],
) -> ModelVersion:
    """The tuned version that a run made, with what the gate said of it. The caller holds the project's lock."""
    base = run.base
    version = ModelVersion(
        project=run.project, parent=base, run=run, rung=candidate.rung, architecture=base.architecture,
        weights_sha256=hashlib.sha256(candidate.weights).hexdigest(), trunk_hash=candidate.trunk_hash,
        neck_hash=candidate.neck_hash, finder_hash=candidate.finder_hash, preprocessing=base.preprocessing,
        threshold=candidate.threshold, licence=base.licence, metrics=metrics, config=candidate.config,
        curve=candidate.curve, snapshot=run.snapshot, evaluation=evaluation, status=status, reason=reason,
    )  # fmt: skip
    number_and_name(version)
    version.weights.save("tuned.safetensors", ContentFile(candidate.weights), save=False)
    try:
        version.save(force_insert=True)
    except BaseException:
        default_storage.delete(str(version.weights.name))
        raise
    return version


def number_and_name(version: ModelVersion) -> None:
    """Give a project's new version the next number. The caller holds the project's lock."""
    last = ModelVersion.objects.filter(project=version.project).aggregate(last=Max("number"))["last"] or 0
    version.number, version.name = last + 1, f"v{last + 1}"


def _read_base(path: Path) -> ModelVersion:
    try:
        with path.open("rb") as file:
            header = read_header(file, size=path.stat().st_size)
            metadata = dict(header.metadata)
            if metadata.get("format") != FORMAT:
                raise Invalid(
                    f"{path.name} is not a CellLoop model: its format is {metadata.get('format')!r}."
                )
            config = json.loads(metadata["config"])
            hashes = part_hashes(file, header)
    except (WeightFileError, OSError, KeyError, ValueError) as error:
        raise Invalid(f"{path.name} cannot be read as a model: {error}") from error
    if config["name"] not in ARCHITECTURES:
        raise Invalid(f"{path.name}: there is no architecture {config['name']!r}.")
    return ModelVersion(
        architecture=config["name"],
        trunk_hash=hashes["trunk"],
        neck_hash=hashes["neck"],
        finder_hash=hashes["finder"],
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


def part_hashes(file: IO[bytes], header: Header) -> dict[str, str]:
    """SHA-256 of the trunk, the neck and the finder of a full model file."""
    return {
        "trunk": trunk_hash(file, header),
        "neck": part_hash(file, header, "neck"),
        "finder": part_hash(file, header, "finder"),
    }


def _file_sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
