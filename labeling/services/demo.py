"""The demo project: for a first look, and for whoever tries a new model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from labeling.demo_images import DemoImage, demo_images_at_hand
from labeling.models import Membership, Project, Role
from labeling.pixels import ChannelRoles
from labeling.services.images import channel_map_set, image_create
from labeling.services.projects import project_create

NAME = "Demo"


def demo_project_create(*, owner: Any) -> tuple[Project, int, list[str]]:
    """The owner's demo project, how many demo images were added now, and a sentence for each package that lacks.

    Safe to repeat: what is there, by content, is left alone.
    """
    images, lacking = demo_images_at_hand()
    project = _project(owner, images)
    there = set(project.images.values_list("sha256", flat=True))
    missing = [image for image in images if hashlib.sha256(image.data).hexdigest() not in there]
    for image in missing:
        file = SimpleUploadedFile(image.name, image.data)
        image_create(project=project, uploaded_by=owner, name=image.name, content=file, group_key=image.group)
    return project, len(missing), lacking


@transaction.atomic
def _project(owner: Any, images: Iterable[DemoImage]) -> Project:
    owned = Membership.objects.filter(user=owner, role=Role.OWNER, project__name=NAME).select_related(
        "project"
    )
    membership = owned.order_by("created_at").first()
    if membership is not None:
        return membership.project
    project = project_create(name=NAME, created_by=owner)
    channel_map_set(project=project, channel_map=_common_map([image.roles for image in images]))
    return project


def _common_map(roles: list[ChannelRoles]) -> ChannelRoles:
    """One map that covers all images: a single channel needs none, so those with two parts decide."""
    both = [r for r in roles if r["nuclear"] is not None and r["whole_cell"] is not None]
    chosen = both[0] if both else ChannelRoles(nuclear=None, whole_cell=None, rgb=True)
    return ChannelRoles(
        nuclear=chosen["nuclear"], whole_cell=chosen["whole_cell"], rgb=any(r["rgb"] for r in roles)
    )
