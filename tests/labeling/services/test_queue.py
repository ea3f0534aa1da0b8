"""What is next, and why."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.errors import Conflict, Invalid
from labeling.models import Image, ImageStatus
from labeling.selectors.queue import Queue, queue
from labeling.services.edits import edit_apply
from labeling.services.leases import lease_beat
from labeling.services.skips import image_skip, image_unskip
from labeling.services.submissions import image_submit
from tests.factories import World, adding, cell, make_image, make_ready_image, square


def edit(image: Image, by: Any) -> None:
    image.refresh_from_db()
    edit_apply(
        image_id=image.pk, author=by, edit_id=uuid4(), base_revision=image.revision,
        patch=adding(cell(square(40, 40), label=image.next_label)),
    )  # fmt: skip


def submit(image: Image, by: Any) -> None:
    image.refresh_from_db()
    image_submit(image_id=image.pk, by=by, revision=image.revision)


def reasons(found: Queue) -> list[tuple[str, str]]:
    return [(item.image.name, item.reason.code) for item in found.upcoming]


def of(world: World, user: Any, **more: Any) -> list[tuple[str, str]]:
    return reasons(queue(world.project.pk, user=user, **more))


def test_it_says_what_is_next_and_why(world: World):
    images = [make_ready_image(world.project, seed=seed) for seed in range(6)]
    make_image(world.project, seed=9)  # waits for the machine, not for people
    submit(images[0], world.bob)
    edit(images[1], world.bob)
    edit(images[2], world.alice)
    submit(images[3], world.bob)
    edit(images[3], world.alice)  # changed after it was submitted
    image_skip(image_id=images[4].pk, by=world.bob, reason="Out of focus")

    found = queue(world.project.pk, user=world.bob)

    assert reasons(found) == [
        ("image3.png", "returned"),
        ("image1.png", "begun"),
        ("image5.png", "oldest"),
        ("image2.png", "left"),
        ("image4.png", "skipped"),
    ]
    assert found.next == found.upcoming[0]
    assert found.upcoming[-1].reason.detail.startswith("Skipped by bob on ")
    assert found.upcoming[-1].reason.detail.endswith(": Out of focus")
    progress = found.progress
    assert (progress.total, progress.submitted, progress.open) == (7, 1, 5)
    assert (progress.skipped, progress.waiting, progress.failed) == (1, 1, 0)


def test_an_empty_queue_has_no_next(world: World):
    assert queue(world.project.pk, user=world.bob).next is None


def test_what_somebody_else_holds_is_left_out(world: World):
    first, _ = (make_ready_image(world.project, seed=seed) for seed in range(2))
    lease_beat(image=first, user=world.alice, session="tab-of-alice", may_edit=True)
    assert of(world, world.bob) == [("image1.png", "oldest")]
    assert of(world, world.alice) == [("image0.png", "oldest"), ("image1.png", "oldest")]
    assert of(world, world.alice, session="tab-of-alice")[0] == ("image0.png", "oldest")
    assert of(world, world.alice, session="another-tab") == [("image1.png", "oldest")]


def test_a_reader_s_tab_takes_nothing_out(world: World):
    image = make_ready_image(world.project)
    lease_beat(image=image, user=world.vera, session="tab-of-vera", may_edit=False)
    assert of(world, world.bob) == [("image0.png", "oldest")]


def test_the_image_that_one_comes_from_is_not_next(world: World):
    first, _ = (make_ready_image(world.project, seed=seed) for seed in range(2))
    edit(first, world.bob)
    assert of(world, world.bob, after=first.pk) == [("image1.png", "oldest")]


def test_skipped_images_come_back_at_the_end_in_their_order(world: World):
    images = [make_ready_image(world.project, seed=seed) for seed in range(3)]
    image_skip(image_id=images[1].pk, by=world.bob, reason="Dark")
    image_skip(image_id=images[0].pk, by=world.bob, reason="Blurred")
    assert [name for name, _ in of(world, world.bob)] == ["image2.png", "image1.png", "image0.png"]
    image_skip(image_id=images[1].pk, by=world.alice, reason="Still dark")
    assert [name for name, _ in of(world, world.bob)] == ["image2.png", "image0.png", "image1.png"]


def test_a_skip_ends_when_somebody_works_on_the_image(world: World):
    image = make_ready_image(world.project)
    for end in (edit, submit):
        image_skip(image_id=image.pk, by=world.bob, reason="Blurred")
        end(image, world.alice)
        image.refresh_from_db()
        assert (image.skipped_at, image.skipped_by, image.skip_reason) == (None, None, "")


def test_a_skip_can_be_taken_back(world: World):
    image = make_ready_image(world.project)
    image_skip(image_id=image.pk, by=world.bob, reason="Blurred")
    image_unskip(image_id=image.pk)
    assert of(world, world.bob) == [("image0.png", "oldest")]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 301])
def test_a_skip_needs_a_reason(world: World, reason: str):
    image = make_ready_image(world.project)
    with pytest.raises(Invalid, match="Say why"):
        image_skip(image_id=image.pk, by=world.bob, reason=reason)


def test_only_what_waits_for_people_is_skipped(world: World):
    image = make_ready_image(world.project)
    submit(image, world.bob)
    with pytest.raises(Conflict, match="not in the queue"):
        image_skip(image_id=image.pk, by=world.bob, reason="Blurred")


def test_an_image_that_is_submitted_again_is_not_returned_any_more(world: World):
    image = make_ready_image(world.project)
    submit(image, world.bob)
    edit(image, world.bob)
    assert of(world, world.bob) == [("image0.png", "returned")]
    submit(image, world.bob)
    assert of(world, world.bob) == []
    image.refresh_from_db()
    assert image.returned_at is None


def test_it_asks_the_same_number_of_queries_in_a_large_project(world: World):
    for seed in range(3):
        make_ready_image(world.project, seed=seed)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            queue(world.project.pk, user=world.bob)
        return len(queries)

    few = asked()
    template = Image.objects.first()
    assert template is not None
    rows = []
    for number in range(200):
        template.pk, template.name = uuid4(), f"copy{number}.png"
        rows.append(
            Image(**{field.attname: getattr(template, field.attname) for field in Image._meta.fields})
        )
    Image.objects.bulk_create(rows)
    assert asked() <= few
    assert Image.objects.filter(status=ImageStatus.READY).count() == 203
