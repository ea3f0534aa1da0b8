"""Time-lapses and z-stacks: an image a frame, one file, one split."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from labeling.errors import BeforeMismatch
from labeling.models import Image, Job, JobKind, Series
from labeling.patch import Patch, Update
from labeling.selectors.cells import cell_states
from labeling.selectors.features import features_key
from labeling.selectors.images import frame_place, frames_of
from labeling.services.edits import edit_apply
from labeling.services.images import image_delete, series_delete
from labeling.services.projects import project_delete
from tests.factories import World, adding, cell, ingest, make_series, segment, square


@pytest.fixture
def series(world: World) -> Series:
    return make_series(world.project)


@pytest.fixture
def committing(django_capture_on_commit_callbacks: Any) -> Any:
    return django_capture_on_commit_callbacks(execute=True)


def ready(image: Image) -> Image:
    return segment(ingest(image), [square(0, 0), square(10, 10)])


def test_each_frame_is_an_image(series: Series):
    frames = frames_of(series)
    assert [frame.name for frame in frames] == ["movie_t1.tif", "movie_t2.tif", "movie_t3.tif"]
    assert [frame.frame for frame in frames] == [0, 1, 2]
    assert (series.axis, series.count, series.name) == ("t", 3, "movie.tif")
    assert Job.objects.filter(image__series=series, kind=JobKind.INGEST).count() == 3


def test_numbers_in_names_sort_as_frames_do(world: World):
    names = [frame.name for frame in frames_of(make_series(world.project, frames=11, axis="Z"))]
    assert names == sorted(names)
    assert names[0] == "movie_z01.tif"


def test_frames_share_file_group_and_split(series: Series):
    frames = frames_of(series)
    for field in ("file", "sha256", "group_key", "split"):
        assert len({str(getattr(frame, field)) for frame in frames}) == 1


def test_frames_have_features_of_their_own(world: World, series: Series):
    keys = {features_key(image=ingest(frame), version=world.base) for frame in frames_of(series)}
    assert len(keys) == 3


def test_frames_know_their_neighbours(world: World, series: Series):
    first, second, third = frames_of(series)
    assert (frame_place(first).previous, frame_place(first).next) == (None, second.pk)
    image_delete(image=second)
    assert (frame_place(first).next, frame_place(third).previous) == (third.pk, first.pk)


def test_the_file_goes_with_the_last_frame(series: Series, committing: Any):
    first, _, third = frames_of(series)
    name = str(first.file.name)
    with committing:
        image_delete(image=first)
        image_delete(image=third)
    assert default_storage.exists(name)


def test_nothing_is_left_of_a_series_without_frames(series: Series, committing: Any):
    frames = frames_of(series)
    with committing:
        for frame in frames:
            image_delete(image=frame)
    assert not default_storage.exists(str(frames[0].file.name))
    assert not Series.objects.exists()


def test_a_series_is_deleted_as_one(series: Series, committing: Any):
    frame = ready(frames_of(series)[0])
    names = [str(name) for name in (frame.file.name, frame.pyramid.name, frame.thumbnail.name)]
    with committing:
        series_delete(series=series)
    assert not Image.objects.exists()
    assert [default_storage.exists(name) for name in names] == [False, False, False]


def test_a_project_with_a_series_can_be_deleted(world: World, series: Series):
    project_delete(project=world.project)
    assert not Series.objects.exists()


def copy_of(image: Image, to: Image, label: int) -> Patch:
    state = next(state for state in cell_states(image.pk).values() if state.label == label)
    return adding(replace(state, id=str(uuid4()), source="person", score=None))


def save(image: Image, patch: Patch, by: Any) -> Image:
    image.refresh_from_db()
    edit_apply(image_id=image.pk, author=by, edit_id=uuid4(), base_revision=image.revision, patch=patch)
    image.refresh_from_db()
    return image


def test_a_cell_copied_to_the_next_frame_keeps_its_label(world: World, series: Series):
    first, second, _ = (ready(frame) for frame in frames_of(series))
    save(first, adding(cell(square(30, 30), label=17)), world.bob)
    save(second, copy_of(first, second, 17), world.bob)
    assert {state.label for state in cell_states(second.pk).values()} == {1, 2, 17}
    assert second.next_label == 18
    save(second, adding(cell(square(50, 50), label=second.next_label)), world.bob)
    assert second.next_label == 19


def test_a_label_that_is_taken_can_be_made_free_in_the_same_patch(world: World, series: Series):
    first, second, _ = (ready(frame) for frame in frames_of(series))
    copied = copy_of(first, second, 1)
    with pytest.raises(BeforeMismatch, match="Label 1 is taken"):
        save(second, copied, world.bob)
    taken = next(state for state in cell_states(second.pk).values() if state.label == 1)
    moved = Update(taken, replace(taken, label=second.next_label))
    save(second, Patch(added=copied.added, updated=(moved,)), world.bob)
    states = {state.label: state.id for state in cell_states(second.pk).values()}
    assert states == {1: copied.added[0].id, 2: states[2], 3: taken.id}


def test_the_database_itself_refuses_a_frame_twice(series: Series):
    with pytest.raises(IntegrityError, match="image_frame_once_a_series"), transaction.atomic():
        Image.objects.filter(series=series, frame=1).update(frame=0)
