"""What to label next, and why: the stages of a project's queue.

STAGES is the one place that decides the order. A stage is a filter, an order that an index serves, and the sentence
that people read; a learned order is one more stage, before "oldest".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from labeling.models import Edit, Image, ImageStatus, Presence
from labeling.models.image import IN_QUEUE
from labeling.selectors.people import display_name
from labeling.selectors.presence import live
from labeling.selectors.projects import project_figures

UPCOMING = 12


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an image is next: a code for programs, a sentence for people."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class QueueItem:
    image: Image
    reason: Reason


@dataclass(frozen=True, slots=True)
class Progress:
    """Images of the project: ``open`` ones wait for people (skipped ones too), ``waiting`` ones for the machine."""

    total: int
    submitted: int
    open: int
    skipped: int
    waiting: int
    failed: int


@dataclass(frozen=True, slots=True)
class Queue:
    upcoming: tuple[QueueItem, ...]
    progress: Progress

    @property
    def next(self) -> QueueItem | None:
        return self.upcoming[0] if self.upcoming else None


@dataclass(frozen=True, slots=True)
class _Stage:
    code: str
    choose: Callable[
        [QuerySet[Image], Any], QuerySet[Image]
    ]  # of the images that wait, for this user, in order
    say: Callable[[Image], str]


def queue(project_id: UUID, *, user: Any, session: str | None = None, after: UUID | None = None) -> Queue:
    """The next images for this user. Those that another person, or another tab than ``session``, holds are left out,
    and so is ``after``, which they come from."""
    images = Image.objects.filter(IN_QUEUE, project_id=project_id).exclude(
        Exists(_held_by_others(user, session))
    )
    if after is not None:
        images = images.exclude(pk=after)
    found: list[QueueItem] = []
    for item in _items(images, user):
        found.append(item)
        if len(found) == UPCOMING:
            break
    return Queue(tuple(found), progress(project_id))


def progress(project_id: UUID) -> Progress:
    """How far the project is."""
    counts = project_figures([project_id])[project_id].counts
    return Progress(
        total=counts["total"],
        submitted=counts["submitted"],
        open=counts["ready"] + counts["in_progress"],
        skipped=Image.objects.filter(IN_QUEUE, project_id=project_id, skipped_at__isnull=False).count(),
        waiting=counts["queued"] + counts["needs_channels"] + counts["segmenting"],
        failed=counts["failed"],
    )


def _items(images: QuerySet[Image], user: Any) -> Iterator[QueueItem]:
    for stage in STAGES:
        for image in stage.choose(images, user).select_related("skipped_by", "series")[:UPCOMING]:
            yield QueueItem(image, Reason(stage.code, stage.say(image)))


def _held_by_others(user: Any, session: str | None) -> QuerySet[Presence]:
    others = ~Q(user=user)
    if session:
        others |= ~Q(session=session)
    return Presence.objects.filter(live(), others, image=OuterRef("pk"), holds_lease=True)


def _returned(images: QuerySet[Image], user: Any) -> QuerySet[Image]:
    return images.filter(skipped_at=None, returned_at__isnull=False).order_by("returned_at", "id")


def _begun(images: QuerySet[Image], user: Any) -> QuerySet[Image]:
    return _in_progress(images).filter(_edited_by(user)).order_by("created_at", "id")


def _oldest(images: QuerySet[Image], user: Any) -> QuerySet[Image]:
    return images.filter(skipped_at=None, returned_at=None, status=ImageStatus.READY).order_by(
        "created_at", "id"
    )


def _left(images: QuerySet[Image], user: Any) -> QuerySet[Image]:
    return _in_progress(images).exclude(_edited_by(user)).order_by("created_at", "id")


def _skipped(images: QuerySet[Image], user: Any) -> QuerySet[Image]:
    return images.filter(skipped_at__isnull=False).order_by("skipped_at", "id")


def _in_progress(images: QuerySet[Image]) -> QuerySet[Image]:
    return images.filter(skipped_at=None, returned_at=None, status=ImageStatus.IN_PROGRESS)


def _edited_by(user: Any) -> Exists:
    return Exists(Edit.objects.filter(image=OuterRef("pk"), author=user))


def _say_skipped(image: Image) -> str:
    who = display_name(image.skipped_by) if image.skipped_by else "somebody"
    return f"Skipped by {who} on {image.skipped_at:%Y-%m-%d}: {image.skip_reason}"


STAGES = (
    _Stage("returned", _returned, lambda image: "Returned to the queue: changed after it was submitted"),
    _Stage("begun", _begun, lambda image: "You have begun it"),
    _Stage("oldest", _oldest, lambda image: "Oldest image that nobody has opened"),
    _Stage("left", _left, lambda image: "Begun by somebody else and left"),
    _Stage("skipped", _skipped, _say_skipped),
)
