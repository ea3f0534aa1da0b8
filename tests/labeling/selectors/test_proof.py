"""Actions, seconds and untouched cells, by version and over time."""

import csv
import io
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from labeling.models import Edit, Image, Project, Submission
from labeling.patch import Patch, Update
from labeling.selectors.cells import cell_states
from labeling.selectors.proof import proof
from labeling.services.edits import edit_apply
from labeling.services.submissions import image_submit, submission_rebuild
from tests.factories import World, adding, cell, make_ready_image, square
from tests.labeling.services.test_training import complete, start, submit_two

NOON = datetime(2030, 5, 1, 12, tzinfo=timezone.get_default_timezone())


def edit(world: World, image: Image, patch: Patch, *, by=None) -> None:
    edit_apply(
        image_id=image.pk, author=by or world.bob, edit_id=uuid4(), base_revision=image.revision, patch=patch
    )
    image.refresh_from_db()


def submit(world: World, image: Image) -> Submission:
    image_submit(image_id=image.pk, by=world.bob, revision=image.revision)
    return Submission.objects.get(image=image, revision=image.revision)


def corrected(world: World, *, seed: int = 0) -> Image:
    """Of three cells one is false, one is reshaped and one is right; one was missed."""
    image = make_ready_image(world.project, seed=seed)
    first, second, _ = cell_states(image.pk).values()
    wider = cell(
        square(10, 10, 8),
        label=second.label,
        id=second.id,
        source="model",
        model_version=second.model_version,
    )
    edit(world, image, Patch(removed=(first,)))
    edit(world, image, Patch(updated=(Update(second, wider),)))
    edit(world, image, adding(cell(square(40, 40), label=9)))
    return image


def test_it_counts_actions_and_untouched_cells_by_version(world: World):
    submit(world, corrected(world))
    submit(world, make_ready_image(world.project, seed=1))
    (found,) = proof(world.project).versions
    assert (found.version, found.name, found.images) == (world.base.pk, "tiny 1", 2)
    assert found.work.cells == 6
    assert found.work.actions_per_cell == pytest.approx(3 / 6)
    assert found.work.share_untouched == pytest.approx(4 / 6)


def at(image: Image, *seconds: float) -> None:
    """Move the person's edits to these seconds after noon."""
    for one, second in zip(
        Edit.objects.filter(image=image, source="person").order_by("revision"), seconds, strict=True
    ):
        Edit.objects.filter(pk=one.pk).update(created_at=NOON + timedelta(seconds=second))


def seconds(world: World, image: Image, *, submitted: float) -> float | None:
    submission = submit(world, image)
    Submission.objects.filter(pk=submission.pk).update(at=NOON + timedelta(seconds=submitted))
    submission_rebuild(submission_id=submission.pk, write=True)
    submission.refresh_from_db()
    return submission.seconds


def test_seconds_are_gaps_between_edits_and_a_pause_counts_a_minute_at_most(world: World):
    image = corrected(world)
    at(image, 0, 4, 1000)
    assert seconds(world, image, submitted=1010) == pytest.approx(4 + 60 + 10)


def test_two_people_do_not_pause_for_each_other(world: World):
    image = make_ready_image(world.project)
    for number, who in enumerate([world.bob, world.alice, world.bob, world.alice]):
        edit(world, image, adding(cell(square(40, 5 * number), label=10 + number)), by=who)
    at(image, 0, 1, 10, 21)
    assert seconds(world, image, submitted=12) == pytest.approx(10 + 20 + 2)


def test_an_image_accepted_as_it_is_took_no_time_that_we_know_of(world: World):
    assert submit(world, make_ready_image(world.project)).seconds == 0


def test_images_drawn_on_the_bare_image_are_a_row_of_their_own(world: World):
    images = [make_ready_image(world.project, seed=seed) for seed in range(4)]
    edit(world, images[3], adding(cell(square(0, 0), label=1), cell(square(9, 9), label=2)))
    for image in images:
        submit(world, image)
    names = {
        one.name: (one.images, one.work.cells, one.work.actions_per_cell)
        for one in proof(world.project).versions
    }
    assert names == {"tiny 1": (3, 9, 0.0), "by hand": (1, 2, 1.0)}


def test_f1_is_that_of_the_latest_run_that_measured_the_version(world: World):
    submit_two(world)
    run, claim = start(world)
    complete(run, claim)
    found = proof(world.project)
    (version,), (measured,) = found.versions, found.f1
    assert version.name == "tiny 1"
    assert version.f1 == pytest.approx(0.6)
    assert (measured.name, measured.decision) == ("v1", "promoted")
    assert [measured.active, measured.candidate] == pytest.approx([0.6, 0.8])


def test_only_the_latest_submission_of_an_image_counts(world: World):
    image = corrected(world)
    submit(world, image)
    edit(world, image, adding(cell(square(50, 50), label=20)))
    submit(world, image)
    found = proof(world.project)
    assert (len(found.points), found.versions[0].work.missed) == (1, 2)


def rows(client: APIClient, project: Project) -> list[dict[str, str]]:
    answer = client.get(f"/api/projects/{project.pk}/proof.csv")
    assert answer["Content-Type"].startswith("text/csv")
    assert answer["Content-Disposition"] == "attachment; filename*=UTF-8''Nuclei.csv"
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_the_table_has_a_row_for_each_image(world: World, as_vera: APIClient):
    submit(world, corrected(world))
    (row,) = rows(as_vera, world.project)
    assert (row["version"], row["split"], row["blind"], row["cells"]) == ("tiny 1", "train", "0", "3")
    assert (row["missed"], row["false"], row["reshaped"], row["untouched"]) == ("1", "1", "1", "1")
    assert (float(row["actions_per_cell"]), row["version_f1"]) == (1.0, "")


def test_a_name_is_no_formula_in_a_spreadsheet(world: World, as_vera: APIClient):
    image = make_ready_image(world.project)
    Image.objects.filter(pk=image.pk).update(name='=HYPERLINK("http://x")')
    submit(world, image)
    assert rows(as_vera, world.project)[0]["image"] == '\'=HYPERLINK("http://x")'


def test_the_page_gives_the_same_for_plots(world: World, as_vera: APIClient):
    submit(world, corrected(world))
    page = as_vera.get(f"/api/projects/{world.project.pk}/model").json()["proof"]
    assert "60 s at most" in page["rule"]
    assert page["points"][0] | {"at": None, "image": None, "seconds_per_cell": None} == {
        "at": None, "image": None, "name": "image0.png", "version": str(world.base.pk), "cells": 3, "untouched": 1,
        "reshaped": 1, "missed": 1, "false": 1, "actions_per_cell": 1.0, "seconds_per_cell": None,
        "share_untouched": pytest.approx(1 / 3),
    }  # fmt: skip
