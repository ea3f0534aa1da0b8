"""Who has an image open now, and who of them holds its lease."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from labeling.models import Presence
from labeling.selectors.people import person

LEASE_S = 30
BEAT_S = 10  # a client's; two beats may be lost


@dataclass(frozen=True, slots=True)
class Lease:
    """An image's lease as one tab sees it. ``revision`` is the image's."""

    mine: bool
    holder: Presence | None
    people: tuple[Presence, ...]
    revision: int


def live() -> Q:
    """Presences that are not over."""
    return Q(expires_at__gt=timezone.now())


def presences(image_id: UUID) -> list[Presence]:
    """The tabs that have the image open, oldest first."""
    rows = Presence.objects.filter(live(), image_id=image_id)
    return list(rows.select_related("user").order_by("pk"))


def lease_holder(image_id: UUID) -> Presence | None:
    """The tab that may edit the image; None if nobody holds the lease."""
    held = Presence.objects.filter(live(), image_id=image_id, holds_lease=True)
    return held.select_related("user").first()


def holder_of(rows: Iterable[Presence]) -> Presence | None:
    """The one among them that holds the lease."""
    return next((row for row in rows if row.holds_lease), None)


def tab(row: Presence) -> dict[str, Any]:
    """The wire form of a presence: a person, the tab, and whether it may edit."""
    return {**(person(row.user) or {}), "session": row.session, "editing": row.holds_lease}


def lease_event(image_id: UUID, rows: Iterable[Presence], *, taken_from: str | None = None) -> dict[str, Any]:
    """The live event about an image's lease; ``taken_from`` is the tab that lost it to another one."""
    rows = list(rows)
    holder = holder_of(rows)
    return {
        "image": str(image_id),
        "holder": tab(holder) if holder else None,
        "people": [tab(row) for row in rows],
        "taken_from": taken_from,
    }


def lease_end(lease: Lease) -> datetime | None:
    """When the lease ends unless its holder says that it is still there."""
    return lease.holder.expires_at if lease.holder else None
