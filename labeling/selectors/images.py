"""Images: a page of them, one in its row, the live event about one."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from labeling.errors import Invalid
from labeling.models import Edit, Image, ImageStatus, Job, Project, Series
from labeling.selectors.people import person

ORDERS = {"created": "created_at", "-created": "created_at", "name": "name", "-name": "name"}
PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class ImagePage:
    """One page; ``next`` is the cursor of the following one, None on the last. ``total`` counts all pages."""

    results: list[Image]
    next: str | None
    total: int


@dataclass(frozen=True, slots=True)
class FramePlace:
    """A frame's neighbours in its series; None at its ends. Frames that were deleted are passed over."""

    previous: UUID | None
    next: UUID | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image stands in its project, in the order of uploading; ``position`` counts from 1."""

    previous: UUID | None
    next: UUID | None
    position: int
    total: int


def images_page(
    project: Project, *, status: str | None = None, order: str = "created", cursor: str | None = None,
    limit: int = PAGE_SIZE,
) -> ImagePage:  # fmt: skip
    """A page of the project's images. Raises Invalid for an unknown status or order, or a broken cursor."""
    if order not in ORDERS:
        raise Invalid(f"Images are ordered by one of {', '.join(ORDERS)}.")
    images = project.images.select_related("submitted_by", "skipped_by", "series")
    if status:
        if status not in ImageStatus.values:
            raise Invalid(f"There is no image status {status!r}.")
        images = images.filter(status=status)
    total = images.count()
    field, descending = ORDERS[order], order.startswith("-")
    if cursor:
        images = _after(images, field, descending, *_read_cursor(cursor, field))
    sign = "-" if descending else ""
    rows = list(images.order_by(f"{sign}{field}", f"{sign}id")[: limit + 1])
    more = len(rows) > limit
    return ImagePage(rows[:limit], _write_cursor(rows[limit - 1], field) if more else None, total)


def image_place(image: Image) -> Place:
    """The image's neighbours and position among its project's images, oldest first."""
    others = Image.objects.filter(project_id=image.project_id)
    earlier = _after(others, "created_at", True, image.created_at, image.pk).order_by("-created_at", "-id")
    later = _after(others, "created_at", False, image.created_at, image.pk).order_by("created_at", "id")
    return Place(
        previous=earlier.values_list("pk", flat=True).first(),
        next=later.values_list("pk", flat=True).first(),
        position=earlier.count() + 1,
        total=others.count(),
    )


def images_around(image: Image, *, reach: int = 12) -> ImagePage:
    """The image with up to ``reach`` neighbours on each side, in the order of uploading."""
    images = Image.objects.filter(project_id=image.project_id).select_related(
        "submitted_by", "skipped_by", "series"
    )
    earlier = _after(images, "created_at", True, image.created_at, image.pk).order_by("-created_at", "-id")
    later = _after(images, "created_at", False, image.created_at, image.pk).order_by("created_at", "id")
    after = list(later[: reach + 1])
    rows = [*reversed(earlier[:reach]), image, *after[:reach]]
    more = len(after) > reach
    total = Image.objects.filter(project_id=image.project_id).count()
    return ImagePage(rows, _write_cursor(rows[-1], "created_at") if more else None, total)


def frame_place(image: Image) -> FramePlace:
    """The frames before and after this one, in its series."""
    frames = Image.objects.filter(series=image.series)
    before = frames.filter(frame__lt=image.frame).order_by("-frame")
    after = frames.filter(frame__gt=image.frame).order_by("frame")
    return FramePlace(
        previous=before.values_list("pk", flat=True).first(), next=after.values_list("pk", flat=True).first()
    )


def frames_of(series: Series) -> list[Image]:
    """The series' frames in their order."""
    return list(Image.objects.filter(series=series).order_by("frame"))


def thumbnail_url(image: Image) -> str | None:
    """None until ingest made one."""
    return f"/api/images/{image.pk}/thumbnail" if image.thumbnail else None


def outlines_url(image: Image) -> str | None:
    """None without cells. Carries the revision, so the picture at one address never changes."""
    if not image.thumbnail or not image.cell_count:
        return None
    return f"/api/images/{image.pk}/outlines?rev={image.revision}"


def image_event(image: Image, job: Job | None = None) -> dict[str, Any]:
    """The live event about an image; ``job`` is the open job that people wait for."""
    return {
        "id": str(image.pk),
        "status": image.status,
        "progress": job.progress if job is not None and job.is_open else None,
        "error": image.error,
        "revision": image.revision,
        "cells": image.cell_count,
        "to_check": image.to_check_count,
        "thumbnail_url": thumbnail_url(image),
        "outlines_url": outlines_url(image),
    }


def edit_event(edit: Edit, session: str | None) -> dict[str, Any]:
    """The live event about an edit; ``session`` is the tab that made it. The patch is fetched by those who want it."""
    return {
        "image": str(edit.image_id),
        "revision": edit.revision,
        "id": str(edit.pk),
        "author": person(edit.author),
        "session": session,
        "source": str(edit.source),
    }


def _after(images: QuerySet[Image], field: str, descending: bool, value: Any, pk: UUID) -> QuerySet[Image]:
    """Images strictly after (value, pk); written so that an index on (project, field, id) serves it."""
    word = "lt" if descending else "gt"
    return images.filter(
        Q(**{f"{field}__{word}e": value}) & (Q(**{f"{field}__{word}": value}) | Q(**{f"pk__{word}": pk}))
    )


def _write_cursor(image: Image, field: str) -> str:
    value = image.created_at.isoformat() if field == "created_at" else image.name
    return base64.urlsafe_b64encode(json.dumps([value, str(image.pk)]).encode()).decode()


def _read_cursor(cursor: str, field: str) -> tuple[Any, UUID]:
    try:
        value, pk = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        place = datetime.fromisoformat(value) if field == "created_at" else str(value)
        if "\x00" in str(value):  # which PostgreSQL does not take in a string
            raise ValueError(value)
        return place, UUID(pk)
    except (binascii.Error, ValueError, TypeError, AttributeError) as error:
        raise Invalid("This is not a cursor that the list gave out.") from error
