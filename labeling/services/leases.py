"""The lease of an image: one tab edits, the others watch. Who leaves or falls silent loses it; it can be taken over.

A beat of a tab that keeps what it has is one UPDATE of its own row. Whatever changes who holds the lease locks the
image's row first, as an edit does: an edit and a take-over never pass each other.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from labeling import live
from labeling.errors import Forbidden, Invalid, LeaseLost, NotFound
from labeling.models import Image, Presence
from labeling.selectors.people import display_name
from labeling.selectors.presence import LEASE_S, Lease, holder_of, lease_event, lease_holder, presences, tab

FORGET_AFTER = timedelta(hours=1)
_SESSION = re.compile(r"[A-Za-z0-9_-]{8,64}")


def lease_beat(
    *, image: Image, user: Any, session: str, may_edit: bool, want: bool = True, take_over: bool = False
) -> Lease:
    """Say that the tab is there; get the lease if it is free and wanted, or at any rate with ``take_over``.

    Raises Invalid for a session that cannot be or is somebody else's, Forbidden if who may not edit takes over.
    """
    if not _SESSION.fullmatch(session):
        raise Invalid("A session is 8 to 64 letters, digits, - or _.")
    if take_over and not may_edit:
        raise Forbidden("Your role here cannot label images in this project.")
    now = timezone.now()
    own = Presence.objects.filter(image=image, session=session, user=user, expires_at__gt=now)
    known = own.update(expires_at=_end(now))
    rows = presences(image.pk)
    holder = holder_of(rows)
    mine = holder is not None and holder.session == session
    wants_more = may_edit and not mine and (take_over or (want and holder is None))
    if not known or wants_more:
        return _enter(image.pk, user, session, get=may_edit and want, take_over=take_over)
    return Lease(mine=mine, holder=holder, people=tuple(rows), revision=image.revision)


@transaction.atomic
def lease_leave(*, image: Image, user: Any, session: str) -> None:
    """The tab is closed or went on to another image; what it held is free. Leaving twice is leaving."""
    deleted, _ = Presence.objects.filter(image=image, user=user, session=session).delete()
    if deleted:
        live.publish(image.project_id, "lease", lease_event(image.pk, presences(image.pk)))


def lease_check(image: Image, user: Any, session: str | None) -> None:
    """Raise LeaseLost if another tab than this holds the lease. Inside the transaction that locked the image."""
    holder = lease_holder(image.pk)
    if holder is None or (holder.session == session and holder.user_id == user.pk):
        return
    same_person = holder.user_id == user.pk
    words = (
        "You are editing this image in another tab."
        if same_person
        else f"{display_name(holder.user)} is editing this image."
    )
    raise LeaseLost(words, holder=tab(holder), revision=image.revision)


@transaction.atomic
def presences_sweep() -> int:
    """Forget tabs that have long been gone. Returns how many."""
    old = Presence.objects.filter(expires_at__lt=timezone.now() - FORGET_AFTER)
    # Those that another transaction has in hand are its to delete.
    chosen = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:10_000])
    return Presence.objects.filter(pk__in=chosen).delete()[0]


@transaction.atomic
def _enter(image_id: UUID, user: Any, session: str, *, get: bool, take_over: bool) -> Lease:
    image = Image.objects.select_for_update().filter(pk=image_id).first()
    if image is None:
        raise NotFound("The image")
    Presence.objects.filter(image=image, expires_at__lte=timezone.now()).delete()
    others = [row for row in presences(image.pk) if row.session != session or row.user_id != user.pk]
    if any(row.session == session for row in others):
        raise Invalid("This session is somebody else's.")
    holder = holder_of(others)
    if holder is not None and take_over:
        holder.holds_lease = False
        holder.save(update_fields=["holds_lease"])
    mine = take_over or (get and holder is None)
    Presence.objects.update_or_create(
        image=image,
        session=session,
        defaults={"user": user, "holds_lease": mine, "expires_at": _end(timezone.now())},
    )
    rows = presences(image.pk)
    taken_from = holder.session if holder is not None and take_over else None
    live.publish(image.project_id, "lease", lease_event(image.pk, rows, taken_from=taken_from))
    return Lease(mine=mine, holder=holder_of(rows), people=tuple(rows), revision=image.revision)


def _end(now: datetime) -> datetime:
    return now + timedelta(seconds=LEASE_S)
