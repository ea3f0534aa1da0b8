"""Two at once, on real connections: one wins, nothing is lost or counted twice."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections

from labeling.errors import DomainError
from labeling.models import Cell, Edit, Image, Job, JobKind, Split, TrainingRun
from labeling.services.edits import edit_apply
from labeling.services.jobs import Claim, job_claim
from labeling.services.training import trainings_due_start
from tests.factories import World, adding, cell, make_image, make_ready_image, make_world, square
from tests.labeling.services.test_training import submit_with_corrections

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 4


@pytest.fixture
def world() -> World:
    return make_world()


def at_once(act: Callable[[int], Any], times: int = AT_ONCE) -> list[Any]:
    """What each of several threads got, errors included; all start together."""
    barrier = threading.Barrier(times)
    results: list[Any] = [None] * times

    def work(number: int) -> None:
        barrier.wait()
        try:
            results[number] = act(number)
        except DomainError as error:
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


def test_a_job_is_claimed_by_one_worker(world: World):
    job = Job.objects.get(image=make_image(world.project), kind=JobKind.INGEST)
    claims = at_once(lambda _: job_claim(job_id=job.pk))
    assert [type(claim) for claim in claims].count(Claim) == 1
    job.refresh_from_db()
    assert (job.attempt, job.fence) == (1, 1)


def test_of_edits_on_one_revision_one_is_saved(world: World):
    image = make_ready_image(world.project)

    def save(number: int) -> int:
        drawn = adding(cell(square(4 * number, 40), label=10 + number))
        edit = edit_apply(image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=1, patch=drawn)
        return edit.revision

    results = at_once(save)
    assert results.count(2) == 1
    assert [getattr(r, "code", None) for r in results].count("stale_revision") == AT_ONCE - 1
    assert Cell.objects.filter(image=image).count() == 4
    image.refresh_from_db()
    assert image.cell_count == 4


def test_the_same_edit_sent_twice_at_once_is_saved_once(world: World):
    image = make_ready_image(world.project)
    edit_id, drawn = uuid4(), adding(cell(square(40, 40), label=10))

    def save(_: int) -> int:
        edit = edit_apply(image_id=image.pk, author=world.bob, edit_id=edit_id, base_revision=1, patch=drawn)
        return edit.revision

    assert at_once(save) == [2] * AT_ONCE
    assert Edit.objects.filter(image=image, source="person").count() == 1


def test_uploads_at_once_keep_the_share_of_held_out_images(world: World):
    at_once(lambda number: make_image(world.project, seed=number), times=8)
    splits = list(Image.objects.values_list("split", flat=True))
    assert (splits.count(Split.TRAIN), splits.count(Split.HELD_OUT)) == (6, 2)


def test_two_beats_start_one_training(world: World):
    world.project.correction_threshold = 1
    world.project.save()
    submit_with_corrections(world, seed=0)
    assert sum(at_once(lambda _: trainings_due_start())) == 1
    assert TrainingRun.objects.count() == 1
