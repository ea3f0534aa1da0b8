"""What to label next, and why: the stages of a project's queue.

STAGES is the one place that decides the order. A stage is a filter, an order that an index serves, and the sentence
that people read. What nobody has opened comes in the learned order as far as there is one, then by age.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from labeling.models import Edit, Image, ImageStatus, Presence
from labeling.models.image import IN_QUEUE
from labeling.selectors.learned_order import learned_order
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
    opened: int  # that people have begun or submitted


@dataclass(frozen=True, slots=True)
class Queue:
    upcoming: tuple[QueueItem, ...]
    progress: Progress

    @property
    def next(self) -> QueueItem | None:
        return self.upcoming[0] if self.upcoming else None


@dataclass(frozen=True, slots=True)
class _Asked:
    """The images that wait and may be shown, who asks, and how many images of the project people have opened."""

    images: QuerySet[Image]
    user: Any
    project_id: UUID
    opened: int


@dataclass(frozen=True, slots=True)
class _Stage:
    code: str
    choose: Callable[[_Asked], QuerySet[Image]]  # in order
    say: Callable[[Image], str]

    def items(self, asked: _Asked) -> Iterator[QueueItem]:
        for image in self.choose(asked)[:UPCOMING]:
            yield QueueItem(image, Reason(self.code, self.say(image)))


@dataclass(frozen=True, slots=True)
class _LearnedStage:
    def items(self, asked: _Asked) -> Iterator[QueueItem]:
        unopened = _unopened(asked)
        for chosen in learned_order(unopened, project_id=asked.project_id, done=asked.opened, most=UPCOMING):
            yield QueueItem(chosen.image, Reason(chosen.share.code, chosen.share.detail))


def queue(project_id: UUID, *, user: Any, session: str | None = None, after: UUID | None = None) -> Queue:
    """The next images for this user. Those that another person, or another tab than ``session``, holds are left out,
    and so is ``after``, which they come from."""
    images = Image.objects.filter(IN_QUEUE, project_id=project_id).exclude(
        Exists(_held_by_others(user, session))
    )
    if after is not None:
        images = images.exclude(pk=after)
    so_far = progress(project_id)
    asked = _Asked(images.select_related("skipped_by", "series"), user, project_id, so_far.opened)
    found: dict[UUID, QueueItem] = {}
    for item in (item for stage in STAGES for item in stage.items(asked)):
        found.setdefault(item.image.pk, item)
        if len(found) == UPCOMING:
            break
    return Queue(tuple(found.values()), so_far)


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
        opened=counts["in_progress"] + counts["submitted"],
    )


def _held_by_others(user: Any, session: str | None) -> QuerySet[Presence]:
    others = ~Q(user=user)
    if session:
        others |= ~Q(session=session)
    return Presence.objects.filter(live(), others, image=OuterRef("pk"), holds_lease=True)


def _returned(asked: _Asked) -> QuerySet[Image]:
    return asked.images.filter(skipped_at=None, returned_at__isnull=False).order_by("returned_at", "id")


def _begun(asked: _Asked) -> QuerySet[Image]:
    return _in_progress(asked).filter(_edited_by(asked.user)).order_by("created_at", "id")


def _unopened(asked: _Asked) -> QuerySet[Image]:
    return asked.images.filter(skipped_at=None, returned_at=None, status=ImageStatus.READY)


def _oldest(asked: _Asked) -> QuerySet[Image]:
    return _unopened(asked).order_by("created_at", "id")


def _left(asked: _Asked) -> QuerySet[Image]:
    return _in_progress(asked).exclude(_edited_by(asked.user)).order_by("created_at", "id")


def _skipped(asked: _Asked) -> QuerySet[Image]:
    return asked.images.filter(skipped_at__isnull=False).order_by("skipped_at", "id")


def _in_progress(asked: _Asked) -> QuerySet[Image]:
    return asked.images.filter(skipped_at=None, returned_at=None, status=ImageStatus.IN_PROGRESS)


def _edited_by(user: Any) -> Exists:
    return Exists(Edit.objects.filter(image=OuterRef("pk"), author=user))


def _say_skipped(image: Image) -> str:
    who = display_name(image.skipped_by) if image.skipped_by else "somebody"
    return f"Skipped by {who} on {image.skipped_at:%Y-%m-%d}: {image.skip_reason}"


STAGES = (
    _Stage("returned", _returned, lambda image: "Returned to the queue: changed after it was submitted"),
    _Stage("begun", _begun, lambda image: "You have begun it"),
    _LearnedStage(),
    _Stage("oldest", _oldest, lambda image: "Oldest image that nobody has opened"),
    _Stage("left", _left, lambda image: "Begun by somebody else and left"),
    _Stage("skipped", _skipped, _say_skipped),
)
