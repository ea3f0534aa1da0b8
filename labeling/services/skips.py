"""Skipping an image: it goes to the end of the queue, with who, when and why."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from labeling import live
from labeling.errors import Conflict, Invalid
from labeling.models import Image, ImageStatus
from labeling.selectors.images import image_event
from labeling.services.edits import image_locked
from labeling.services.leases import lease_check

REASON_LENGTH = 300
_FIELDS = ["skipped_at", "skipped_by", "skip_reason"]


@transaction.atomic
def image_skip(*, image_id: UUID, by: Any, reason: str, session: str | None = None) -> Image:
    """Skip the image. Skipped again, it goes behind those skipped meanwhile.

    Raises Invalid without a reason, Conflict for an image that does not wait for people, LeaseLost.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= REASON_LENGTH or "\x00" in reason:
        raise Invalid(f"Say why, in 1 to {REASON_LENGTH} characters.")
    image = image_locked(image_id)
    lease_check(image, by, session)
    if image.status not in (ImageStatus.READY, ImageStatus.IN_PROGRESS):
        raise Conflict(f"{image.name} is not in the queue.", code="not_ready")
    image.skipped_at, image.skipped_by, image.skip_reason = timezone.now(), by, reason
    image.save(update_fields=_FIELDS)
    live.publish(image.project_id, "image", image_event(image))
    return image


@transaction.atomic
def image_unskip(*, image_id: UUID) -> Image:
    """Put the image back in its place. One that was not skipped stays as it is."""
    image = image_locked(image_id)
    image.skipped_at, image.skipped_by, image.skip_reason = None, None, ""
    image.save(update_fields=_FIELDS)
    live.publish(image.project_id, "image", image_event(image))
    return image
