"""Two at once, on real connections: one wins, nothing is lost or counted twice."""

import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.db import connections, transaction

from labeling.errors import DomainError, LeaseLost, NotFound
from labeling.gate import Decision, decide
from labeling.models import (
    Cell,
    Edit,
    Image,
    ImageStatus,
    Job,
    JobKind,
    Project,
    RunReason,
    Split,
    TrainingRun,
)
from labeling.patch import Patch
from labeling.selectors.images import frames_of
from labeling.services import judging
from labeling.services.activation import pending_prepare, project_locked, version_activate
from labeling.services.classes import class_create
from labeling.services.edits import EditResult, edit_apply
from labeling.services.images import channel_map_set, image_delete, image_segment
from labeling.services.jobs import Claim, job_claim, job_renew
from labeling.services.leases import lease_beat
from labeling.services.projects import project_delete
from labeling.services.redecoding import redecodes_due_enqueue, redecodes_enqueue
from labeling.services.segmentation import segmentation_store
from labeling.services.submissions import image_submit
from labeling.services.training import training_start_scheduled, trainings_due_start
from tests.factories import (
    World,
    adding,
    cell,
    claim_of,
    ingest,
    make_image,
    make_ready_image,
    make_series,
    make_tuned,
    make_world,
    square,
)
from tests.labeling.services.test_training import complete, start, submit_plenty, submit_two, trained

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
    assert (splits.count(Split.TRAIN), splits.count(Split.HELD_OUT)) == (5, 3)


def test_two_beats_start_one_training(world: World):
    world.project.correction_threshold = 50
    world.project.save()
    submit_plenty(world)
    assert sum(at_once(lambda _: trainings_due_start())) == 1
    assert TrainingRun.objects.count() == 1


def in_a_thread(act: Callable[[], Any]) -> threading.Thread:
    def work() -> None:
        try:
            act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_an_image_that_is_read_while_the_channels_are_mapped_does_not_wait_for_ever(world: World):
    image = make_image(world.project, rgb=True)
    mapped = threading.Event()

    @transaction.atomic
    def map_slowly() -> None:
        channel_map_set(project=world.project, channel_map={"nuclear": None, "whole_cell": None, "rgb": True})
        mapped.set()
        time.sleep(0.5)

    thread = in_a_thread(map_slowly)
    mapped.wait(timeout=10)
    ingest(image, channel_names=("Red", "Green", "Blue"))
    thread.join(timeout=30)
    image.refresh_from_db()
    assert image.status == ImageStatus.QUEUED


def test_a_segmentation_that_ends_while_another_is_asked_for(world: World):
    """Both touch the job and the image; in opposite orders they would wait for each other."""
    image = make_ready_image(world.project)
    image_segment(image=image)
    claim, locked = claim_of(image, JobKind.SEGMENT), threading.Event()
    errors: list[Exception] = []

    @transaction.atomic
    def finish() -> None:
        try:
            job_renew(claim=claim)  # holds the job's row, as segmentation_store does at first
            locked.set()
            time.sleep(0.5)
            segmentation_store(claim=claim, image_id=image.pk, version_id=world.base.pk, masks=[], scores=[])
        except Exception as error:
            errors.append(error)

    thread = in_a_thread(finish)
    locked.wait(timeout=10)
    again = image_segment(image=image)
    thread.join(timeout=30)
    assert errors == []
    assert (again.pk != claim.job_id, again.status) == (True, "queued")


def while_held(hold: Callable[[], None], then: Callable[[], None], act: Callable[[], Any]) -> list[Exception]:
    """Run ``hold``, wait and run ``then`` in one transaction of a thread of its own; ``act`` during the wait. Returns
    the thread's errors."""
    held = threading.Event()
    errors: list[Exception] = []

    def work() -> None:
        try:
            with transaction.atomic():
                hold()
                held.set()
                time.sleep(0.5)
                then()
        except Exception as error:
            errors.append(error)

    thread = in_a_thread(work)
    held.wait(timeout=10)
    try:
        act()
    finally:
        thread.join(timeout=30)
    return errors


@pytest.mark.parametrize("act", ["submit", "segment"])
def test_an_image_can_be_submitted_or_segmented_while_features_of_a_version_are_asked_for(
    world: World, act: str
):
    """The jobs name the image, and what it waits for at its own end is the project."""
    image = make_ready_image(world.project)
    version = make_tuned(world.project, rung=3, trunk_hash="other")
    version_activate(project_id=world.project.pk, version_id=version.pk)

    def ask() -> None:
        pending_prepare(project_id=world.project.pk)

    def meanwhile() -> None:
        if act == "submit":
            image_submit(image_id=image.pk, by=world.bob, revision=image.revision)
        else:
            image_segment(image=image)

    assert while_held(ask, lambda: None, meanwhile) == []
    assert Job.objects.filter(image=image, kind=JobKind.EMBED, status="queued").exists()


def test_nobody_waits_while_the_gate_compares(world: World, monkeypatch: pytest.MonkeyPatch):
    submit_two(world)
    waiting = make_ready_image(world.project, seed=9)
    run, claim = start(world)
    submitted: list[Image] = []

    def in_the_middle(*scores: Any) -> Decision:
        if not submitted:
            worker = threading.Thread(target=submit, daemon=True)
            worker.start()
            worker.join(timeout=10)
        return decide(*scores)

    def submit() -> None:
        try:
            submitted.append(image_submit(image_id=waiting.pk, by=world.bob, revision=waiting.revision))
        finally:
            connections.close_all()

    monkeypatch.setattr(judging, "decide", in_the_middle)
    complete(run, claim, trained(40), active=15)
    assert [image.status for image in submitted] == [ImageStatus.SUBMITTED]


def test_a_first_submission_that_meets_the_deletion_of_its_project(world: World):
    image = make_ready_image(world.project)

    def submit() -> None:
        with pytest.raises(NotFound):
            image_submit(image_id=image.pk, by=world.bob, revision=image.revision)

    def begin() -> None:
        project_locked(world.project.pk)

    assert while_held(begin, lambda: project_delete(project=world.project), submit) == []
    assert not Image.objects.exists()


def test_the_clocks_one_message_waits_for_a_project_that_is_busy(world: World):
    """The threshold is asked for again soon; a schedule only when its time comes again."""
    world.project.correction_threshold = 50
    world.project.save()
    submit_plenty(world)
    started: list[Any] = []

    def hold() -> None:
        project_locked(world.project.pk)

    def meanwhile() -> None:
        started.append(trainings_due_start())
        started.append(training_start_scheduled(project_id=world.project.pk))

    assert while_held(hold, lambda: None, meanwhile) == []
    assert started == [0, True]
    assert TrainingRun.objects.get().reason == RunReason.SCHEDULE


def test_a_promotion_that_meets_the_end_of_a_segmentation(world: World):
    """The segmentation sees the version from before, and the errand an image that is still being segmented."""
    image = ingest(make_image(world.project))
    claim, version = claim_of(image, JobKind.SEGMENT), make_tuned(world.project)
    stored, promoted = threading.Event(), threading.Event()

    @transaction.atomic
    def store_slowly() -> None:
        segmentation_store(
            claim=claim, image_id=image.pk, version_id=world.base.pk, masks=[square(0, 0)], scores=[0.9]
        )
        stored.set()
        promoted.wait(timeout=10)

    thread = in_a_thread(store_slowly)
    assert stored.wait(timeout=10)
    version_activate(project_id=world.project.pk, version_id=version.pk)
    assert redecodes_enqueue(project_id=world.project.pk) == 0
    promoted.set()
    thread.join(timeout=30)
    assert redecodes_due_enqueue() == 1


def test_a_segmentation_that_is_asked_for_while_the_project_is_deleted(world: World):
    image = make_ready_image(world.project)

    def ask() -> None:
        with pytest.raises(NotFound):
            image_segment(image=image)

    def begin() -> None:
        project_locked(world.project.pk)

    assert while_held(begin, lambda: project_delete(project=world.project), ask) == []
    assert not Image.objects.exists()


def test_a_segmentation_that_is_asked_for_while_images_are_to_be_decoded_again(world: World):
    """The new job waits for the one that is being made, whose foreign key wants the image at the commit."""
    image = make_ready_image(world.project)
    version = make_tuned(world.project)
    version_activate(project_id=world.project.pk, version_id=version.pk)

    def ask() -> None:
        assert image_segment(image=image).payload == {}

    def decode_again() -> None:
        redecodes_enqueue(project_id=world.project.pk)

    assert while_held(decode_again, lambda: None, ask) == []
    assert Job.objects.filter(image=image, kind=JobKind.SEGMENT, status="queued").count() == 1


@pytest.mark.parametrize("delete", ["image", "project"])
def test_an_edit_that_meets_a_deletion(world: World, delete: str):
    """The edit is saved or the image is gone; neither breaks the other."""
    image = make_ready_image(world.project)
    edited = threading.Event()

    @transaction.atomic
    def edit_slowly() -> None:
        edit_apply(
            image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=1,
            patch=adding(cell(square(40, 40), label=10)),
        )  # fmt: skip
        edited.set()
        time.sleep(0.5)

    thread = in_a_thread(edit_slowly)
    edited.wait(timeout=10)
    if delete == "image":
        image_delete(image=image)
    else:
        project_delete(project=world.project)
    thread.join(timeout=30)
    assert not Image.objects.exists()
    assert not Edit.objects.exists()


def test_of_tabs_that_ask_at_once_one_gets_the_lease(world: World):
    image = make_ready_image(world.project)
    leases = at_once(
        lambda number: (
            lease_beat(image=image, user=world.bob, session=f"tab-number-{number}", may_edit=True).mine
        )
    )
    assert sorted(leases) == [False, False, False, True]


def test_an_edit_and_a_take_over_never_pass_each_other(world: World):
    """Whichever is first: after the take-over is answered, no edit of the other tab comes in."""
    Project.objects.update(held_out_target=0)
    for round_number in range(6):
        image = make_ready_image(world.project, seed=round_number)
        lease_beat(image=image, user=world.bob, session="tab-of-bob", may_edit=True)
        drawn = adding(cell(square(40, 40), label=10))

        def act(number: int, image: Image = image, drawn: Patch = drawn) -> Any:
            if number == 0:
                lease = lease_beat(
                    image=image, user=world.alice, session="tab-of-alice", may_edit=True, take_over=True
                )
                return lease.revision, Image.objects.get(pk=image.pk).revision
            return edit_apply(
                image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=1, patch=drawn,
                session="tab-of-bob",
            )  # fmt: skip

        taken, edited = at_once(act, 2)
        saved = isinstance(edited, EditResult)
        assert saved or isinstance(edited, LeaseLost)
        assert taken[0] == taken[1] == (2 if saved else 1)


def test_two_who_delete_the_last_frames_leave_no_file(world: World):
    series = make_series(world.project, frames=2)
    frames = frames_of(series)
    name = str(frames[0].file.name)
    assert at_once(lambda number: image_delete(image=frames[number]), 2) == [None, None]
    assert not default_storage.exists(name)


def test_two_who_take_one_key_at_once_do_not_both_get_it(world: World):
    made = at_once(
        lambda number: class_create(project=world.project, name=f"Class {number}", colour="#000000", key=1)
    )
    assert sorted(getattr(one, "code", "made") for one in made) == ["key_taken"] * 3 + ["made"]
