"""Images that a model is unsure of, while nobody knows how right it is in their project."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
import pytest
from rest_framework.test import APIClient

from labeling.models import Image, ImageStatus, Project, Proposal, ProposalStatus
from labeling.selectors.presegmentation import hidden_reason, presegmentation
from labeling.selectors.redecoding import undecoded_images
from labeling.services.edits import edit_apply
from labeling.services.loop_settings import loop_settings_set
from labeling.services.proposals import proposal_accept
from labeling.services.redecoding import redecodes_enqueue
from labeling.services.submissions import image_submit
from labeling.uncertainty import Evidence
from tests.factories import World, adding, cell, ingest, make_image, segment, square

SURE = Evidence(np.array([0.95, 0.9]), 0.4, np.array([0.9, 0.9]))
UNSURE = Evidence(np.array([0.42, 0.38, 0.4]), 0.4, np.array([0.7, 0.7]))
NOTHING = Evidence(np.array([]), 0.4, np.array([]))
ROWS = [square(6 * column, 6 * row) for row in range(5) for column in range(5)]  # enough to tell


def segmented(world: World, evidence: Evidence, *, seed: int = 0) -> Image:
    image = ingest(make_image(world.project, name=f"image{seed}.png", seed=seed))
    return segment(image, [] if evidence is NOTHING else ROWS, evidence=evidence)


def standing(world: World) -> Project:
    return Project.objects.select_related("active_version").get(pk=world.project.pk)


def accepted(world: World, image: Image) -> None:
    """What was kept back is taken as it is, and submitted."""
    proposal = Proposal.objects.get(image=image, status=ProposalStatus.OPEN)
    proposal_accept(
        proposal=proposal, by=world.bob, edit_id=uuid4(), base_revision=image.revision, mode="replace"
    )
    image_submit(image_id=image.pk, by=world.bob, revision=image.revision + 1)


def redrawn(world: World, image: Image) -> None:
    """A person finds one cell where the model found none, and submits that."""
    edit_apply(
        image_id=image.pk, author=world.bob, edit_id=uuid4(), base_revision=image.revision,
        patch=adding(cell(square(40, 40), label=90)),
    )  # fmt: skip
    image_submit(image_id=image.pk, by=world.bob, revision=image.revision + 1)


def test_it_opens_without_outlines_and_says_why(world: World):
    image = segmented(world, UNSURE)
    assert (image.status, image.cell_count, image.shown_from) == (ImageStatus.READY, 0, None)
    assert len(Proposal.objects.get(image=image).patch["added"]) == len(ROWS)
    assert "tiny 1 is unsure of what it found here" in hidden_reason(image)
    assert not undecoded_images(standing(world))


@pytest.mark.parametrize(("evidence", "cells"), [(SURE, len(ROWS)), (NOTHING, 0)])
def test_others_open_as_ever(world: World, evidence: Evidence, cells: int):
    image = segmented(world, evidence)
    assert (image.cell_count, image.shown_from, hidden_reason(image)) == (cells, 0.0, "")
    assert not undecoded_images(standing(world))


def test_a_project_that_always_shows_outlines_shows_them(world: World):
    image = segmented(world, UNSURE)
    loop_settings_set(project=world.project, presegmentation="always")
    assert list(undecoded_images(standing(world))) == [image]
    assert segmented(world, UNSURE, seed=1).cell_count == len(ROWS)


def test_it_shows_them_once_the_model_has_proved_right(world: World):
    first, second = segmented(world, UNSURE), segmented(world, UNSURE, seed=1)
    accepted(world, first)
    assert presegmentation(standing(world)).rule == (0.0, None)
    assert redecodes_enqueue(project_id=world.project.pk) == 1
    segment(second, ROWS, evidence=UNSURE)
    assert (second.cell_count, hidden_reason(second)) == (len(ROWS), "")
    assert not undecoded_images(standing(world))


def test_it_stays_as_it_is_once_the_model_has_proved_wrong(world: World):
    first, second = segmented(world, UNSURE), segmented(world, UNSURE, seed=1)
    redrawn(world, first)
    assert not presegmentation(standing(world)).shown
    assert "Only 0% of the cells that tiny 1 found" in hidden_reason(second)
    assert not undecoded_images(standing(world))


def test_what_a_run_has_measured_counts_for_unsure_images_too(world: World):
    Project.objects.filter(pk=world.project.pk).update(active_precision=0.9)
    assert segmented(world, UNSURE).cell_count == len(ROWS)


def test_an_image_that_became_sure_shows_them_after_another_segmentation(world: World):
    image = segmented(world, UNSURE)
    Image.objects.filter(pk=image.pk).update(uncertainty=0.2)
    assert redecodes_enqueue(project_id=world.project.pk) == 1
    assert segment(image, ROWS, evidence=SURE).cell_count == len(ROWS)


def test_the_page_says_so(world: World, as_bob: APIClient):
    image = segmented(world, UNSURE)
    assert "is unsure of what" in as_bob.get(f"/api/images/{image.pk}").json()["proposals_hidden_reason"]
