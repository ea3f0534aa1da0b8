"""The address of an image's features in the cache."""

from __future__ import annotations

import hashlib
import json

from labeling.errors import Conflict
from labeling.models import Image, ImageStatus, ModelVersion
from labeling.selectors.channels import channel_names, channel_roles
from labeling.selectors.model_versions import base_of, fields_of_its_run


def features_key(*, image: Image, version: ModelVersion) -> str:
    """SHA-256 hex over everything that shapes the features: pixels, roles, preprocessing, trunk. Never the neck.

    Raises Conflict if the project's channel map does not cover the image.
    """
    roles = channel_roles(image)
    if roles is None:
        raise Conflict(f"{image.name}: its channels are not mapped yet.", code="needs_channels")
    names = channel_names(image)
    places = [names.index(name) if name else None for name in (roles["nuclear"], roles["whole_cell"])]
    parts: list[object] = [image.sha256, [*places, roles["rgb"]], version.preprocessing, version.trunk_hash]
    if image.series_id is not None:  # frames share a file and differ in their pixels
        parts.append(image.frame)
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


def submitted_feature_keys() -> set[str]:
    """Keys of the features that go last when room is needed: submitted images are what training reads.

    A run learns from what its base's trunk sees, and is judged by what the active version's trunk sees too.
    """
    images = Image.objects.filter(status=ImageStatus.SUBMITTED, project__active_version__isnull=False)
    rows = images.select_related("project__active_version__parent")
    return {
        features_key(image=image, version=version)
        for image in rows.defer(*fields_of_its_run("project__active_version")).iterator(chunk_size=500)
        if (active := image.project.active_version) is not None and channel_roles(image) is not None
        for version in {active, base_of(active)}
    }
