"""The order in which new images teach the model most: unsure ones first, with a diverse and a random share.

Of each ten images five are those that the model is most unsure about, two are unlike what was labelled so far, and
three are drawn by lot: held-out images first, because the gate can only judge by them, then any. A project's first is
drawn by lot among those that teach: which outlines help is first told by it, and the hardest would hide them all. The
lot is drawn when an image is uploaded, so the order is the same for everybody and for as long as nothing is labelled.
Held-out images are never chosen for what they would teach. As long as fewer of them were opened than the gate needs,
every second image is one of them: nothing that is learned from the others can be promoted before.

Frames of a series are left to the order of uploading: people carry cells from one frame to the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import count
from uuid import UUID

import numpy as np
from django.db.models import Q, QuerySet
from numpy.typing import NDArray

from labeling.gate import MINIMUM_IMAGES
from labeling.models import Image, ImageStatus, Split


class Share(Enum):
    """Why an image was chosen: a code for programs, a sentence for people."""

    UNSURE = ("unsure", "The model is unsure here")
    UNLIKE = ("unlike", "Unlike the images labelled so far")
    LOT = ("lot", "Chosen at random, to keep the estimate honest")

    @property
    def code(self) -> str:
        return self.value[0]

    @property
    def detail(self) -> str:
        return self.value[1]


PATTERN = (
    Share.UNSURE, Share.UNSURE, Share.LOT, Share.UNSURE, Share.UNLIKE,
    Share.LOT, Share.UNSURE, Share.UNLIKE, Share.LOT, Share.UNSURE,
)  # fmt: skip
HURRIED = (Share.UNSURE, Share.LOT, Share.UNLIKE, Share.LOT)  # while the gate has too little to judge by
SAMPLE = 64  # images, drawn by lot, among which the one that is most unlike is looked for
LABELLED_AT_MOST = 200  # that they are compared with, drawn by lot too


@dataclass(frozen=True, slots=True)
class Chosen:
    image: Image
    share: Share


def learned_order(waiting: QuerySet[Image], *, project_id: UUID, done: int, most: int) -> Iterator[Chosen]:
    """Up to ``most`` of the images that nobody has opened, after ``done`` images of the project were opened.

    Nothing where no image has an uncertainty. An empty share gives its place to the unsure ones, and they to the lot.
    Costs five queries, each of a bounded number of rows.
    """
    single = waiting.filter(series=None)
    teaching = single.filter(split=Split.TRAIN, uncertainty__isnull=False)
    unsure = list(teaching.order_by("-uncertainty", "-id")[:most])
    if not unsure:
        return
    held_out = list(single.filter(split=Split.HELD_OUT).order_by("draw", "id")[:most])
    drawn = list(teaching.order_by("draw", "id")[:SAMPLE])
    streams = {
        Share.UNSURE: iter(unsure),
        Share.UNLIKE: _unlike(drawn, _labelled(project_id)),
        Share.LOT: iter([*held_out, *drawn]),
    }
    telling = {image.pk for image in held_out if image.blind}
    missing = MINIMUM_IMAGES - _deciding(project_id)
    taken: set[UUID] = set()
    if not done and most:
        taken.add(drawn[0].pk)
        yield Chosen(drawn[0], Share.LOT)
    for place in count(done or 1):
        pattern = HURRIED if missing > 0 and telling - taken else PATTERN
        chosen = _first(pattern[place % len(pattern)], streams, taken)
        if chosen is None or len(taken) == most:
            return
        taken.add(chosen.image.pk)
        missing -= chosen.image.pk in telling
        yield chosen


def _first(share: Share, streams: dict[Share, Iterator[Image]], taken: set[UUID]) -> Chosen | None:
    for other in dict.fromkeys((share, Share.UNSURE, Share.LOT)):
        image = next((image for image in streams[other] if image.pk not in taken), None)
        if image is not None:
            return Chosen(image, other)
    return None


def _deciding(project_id: UUID) -> int:
    """Held-out images by which the gate can judge, as `labeling.selectors.training.evidence` counts them, and those
    that somebody has just begun. Looks at `SAMPLE` of them: a few are enough to tell whether there are enough."""
    begun = Q(status=ImageStatus.IN_PROGRESS) | Q(status=ImageStatus.SUBMITTED, cell_count__gt=0)
    opened = Image.objects.filter(begun, project_id=project_id, split=Split.HELD_OUT, blind=True)
    return len(set(opened.order_by().values_list("group_key", flat=True)[:SAMPLE]))


def _labelled(project_id: UUID) -> list[Image]:
    images = Image.objects.filter(
        project_id=project_id, status__in=[ImageStatus.IN_PROGRESS, ImageStatus.SUBMITTED]
    )
    return list(
        images.only("width", "height", "cell_count", "group_key").order_by("draw", "id")[:LABELLED_AT_MOST]
    )


def _unlike(candidates: list[Image], labelled: list[Image]) -> Iterator[Image]:
    """The candidates, each time the one that is farthest from its nearest labelled or earlier one."""
    if not candidates:
        return
    looks = _looks(candidates)
    groups = np.array([image.group_key for image in candidates])
    nearest = np.full(len(candidates), np.inf)
    for image, look in zip(labelled, _looks(labelled), strict=True):
        nearest = np.minimum(nearest, _distance(looks, groups, look, image.group_key))
    for _ in candidates:
        index = int(nearest.argmax())
        yield candidates[index]
        nearest = np.minimum(nearest, _distance(looks, groups, looks[index], groups[index]))
        nearest[index] = -np.inf


def _looks(images: Iterable[Image]) -> NDArray[np.float64]:
    """(n, 2) what is known of images without reading a pixel, in doublings: their size, and their cells per area."""
    rows = [
        (
            np.log2(image.width * image.height),
            np.log2(1 + 2**20 * image.cell_count / (image.width * image.height)),
        )
        for image in images
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def _distance(
    looks: NDArray[np.float64], groups: NDArray[np.str_], look: NDArray[np.float64], group: str
) -> NDArray[np.float64]:
    """(n,) another group counts as much as a doubling of the size or of the density of cells."""
    return np.abs(looks - look).sum(axis=1) + (groups != group)
