"""Versions as files that people take along: one full model out, one full model in. Safetensors alone."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, cast

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction

from labeling import live
from labeling.errors import Conflict, Invalid
from labeling.models import ModelVersion, Project, VersionStatus
from labeling.models.model_version import ARCHITECTURES
from labeling.services.activation import project_locked
from labeling.services.model_versions import FORMAT, number_and_name, part_hashes
from labeling.weight_files import (
    Header,
    Merged,
    WeightFileError,
    check_finite,
    merge,
    read_header,
)

logger = logging.getLogger(__name__)

# A neck alone, of the first releases, and the tuned parts together: how their names read in a full model.
NECK_FORMAT = "cellloop-neck-1"
RENAMED = {NECK_FORMAT: {"": "neck."}}
TUNED_RENAMED = {"cellfinder.": "finder."}
LICENCE_LENGTH = 10_000


def version_checkpoint(version: ModelVersion) -> Merged:
    """The version as one full model file, of the format of the bases. Raises Invalid if its files are damaged."""
    base = version.parent or version
    path, full = _verified(version), _verified(base)
    try:
        with full.open("rb") as file:
            header = read_header(file, size=full.stat().st_size)
        if version.parent is None:
            return Merged(b"", ((full, 0, full.stat().st_size),))
        with path.open("rb") as file:
            kind = read_header(file, size=path.stat().st_size).metadata.get("format", "")
        return merge(
            full, path, renamed=RENAMED.get(kind, TUNED_RENAMED), metadata=_metadata(header, version)
        )
    except (WeightFileError, OSError, KeyError, ValueError) as error:
        raise Invalid(f"{version.name} cannot be exported: {error}.", code="bad_model") from error


def version_import(*, project: Project, content: File[Any], name: str, by: Any) -> ModelVersion:
    """Take in a full model file as a version of the project, which somebody may then activate.

    Its configuration and tensors must be those of a base that is registered here, which tells that it can be loaded.
    Raises Invalid (bad_model) with the reason, Conflict (already_imported) for a file that is a version here.
    """
    file = cast(IO[bytes], content)
    try:
        version = _read(file, size=content.size, name=name)
    except WeightFileError as error:
        raise Invalid(f"{name} cannot be imported: {error}.", code="bad_model") from error
    version.project = project
    version.config = {"imported_from": name, "imported_by": by.get_username()}
    # Outside the transaction: writing a large file must not hold the project's lock.
    content.seek(0)
    version.weights.save("imported.safetensors", content, save=False)
    try:
        return _store(version)
    except BaseException:
        default_storage.delete(str(version.weights.name))
        raise


@transaction.atomic
def _store(version: ModelVersion) -> ModelVersion:
    assert version.project is not None  # noqa: S101 (set by the caller)
    project = project_locked(version.project.pk)
    same = ModelVersion.objects.filter(project=project, weights_sha256=version.weights_sha256).first()
    if same is not None:
        raise Conflict(f"This file is {same.name} of this project already.", code="already_imported")
    number_and_name(version)
    version.save(force_insert=True)
    live.publish(project.pk, "model", {"imported": str(version.pk)})
    return version


def _read(file: IO[bytes], *, size: int, name: str) -> ModelVersion:
    header = read_header(file, size=size)
    if header.metadata.get("format") != FORMAT:
        raise WeightFileError(
            f"it is no full CellLoop model (its format is {header.metadata.get('format')!r})"
        )
    config = _config(header)
    base = _like(header, config)
    check_finite(file, header)
    hashes = part_hashes(file, header)
    file.seek(0)
    return ModelVersion(
        architecture=base.architecture, weights_sha256=hashlib.file_digest(file, "sha256").hexdigest(),  # type: ignore[arg-type]
        trunk_hash=hashes["trunk"], neck_hash=hashes["neck"], finder_hash=hashes["finder"],
        preprocessing=base.preprocessing, threshold=_threshold(config), status=VersionStatus.IMPORTED,
        licence=header.metadata.get("licence", "").replace("\x00", "")[:LICENCE_LENGTH],
    )  # fmt: skip


def _config(header: Header) -> dict[str, Any]:
    try:
        config = json.loads(header.metadata["config"])
    except (KeyError, ValueError, RecursionError) as error:
        raise WeightFileError("it does not say what model it is") from error
    if not isinstance(config, dict) or config.get("name") not in ARCHITECTURES:
        raise WeightFileError("it is of an architecture that is unknown here")
    return config


def _threshold(config: Mapping[str, Any]) -> float:
    try:
        threshold = float(config["thresholds"]["box"])
    except (KeyError, TypeError, ValueError) as error:
        raise WeightFileError("it has no detection threshold") from error
    if not (math.isfinite(threshold) and 0 <= threshold <= 1):
        raise WeightFileError("its detection threshold is not between 0 and 1")
    return threshold


def _like(header: Header, config: Mapping[str, Any]) -> ModelVersion:
    """The registered base that differs in values and thresholds alone."""
    bases = ModelVersion.objects.filter(project__isnull=True, architecture=config["name"]).order_by("-number")
    for base in bases:
        known = _known(base)
        if (
            known is not None
            and known.shapes == header.shapes
            and _shaping(_config(known)) == _shaping(config)
        ):
            return base
    raise WeightFileError(
        f"its configuration is not that of a base of this installation ({config['name']}); register such a base first"
    )


def _known(base: ModelVersion) -> Header | None:
    """What the base's file holds; None if it cannot be read, which is no fault of the file that is imported."""
    path = Path(default_storage.path(str(base.weights.name)))
    try:
        with path.open("rb") as file:
            return read_header(file, size=path.stat().st_size)
    except (WeightFileError, OSError) as error:
        logger.warning("the weights of %s cannot be read: %s", base.name, error)
        return None


def _shaping(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key != "thresholds"}


def _metadata(base: Header, version: ModelVersion) -> dict[str, str]:
    """The base's, with the version's threshold, figures and origin."""
    config = json.loads(base.metadata["config"])
    config["thresholds"]["box"] = version.threshold
    training = json.loads(base.metadata.get("training", "{}"))
    training["tuned"] = {
        "version": version.name, "rung": version.rung, "images": len(version.snapshot), "config": version.config,
    }  # fmt: skip
    own = {"trunk_hash": version.trunk_hash} if "trunk_hash" in base.metadata else {}
    return (
        dict(base.metadata)
        | own
        | {
            "config": json.dumps(config, sort_keys=True),
            "training": json.dumps(training),
            "metrics": json.dumps(version.metrics),
            "licence": version.licence,
        }
    )


def _verified(version: ModelVersion) -> Path:
    """The path of the version's file, whose bytes are the promised ones. Raises Invalid."""
    path = Path(default_storage.path(str(version.weights.name)))
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Invalid(f"The weight file of {version.name} is missing.", code="bad_model") from error
    if found != version.weights_sha256:
        raise Invalid(f"The weight file of {version.name} was changed.", code="bad_model")
    return path
