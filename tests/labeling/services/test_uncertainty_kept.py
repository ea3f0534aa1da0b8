"""What a segmentation leaves behind about how unsure the model is, for the order of the queue."""

from __future__ import annotations

import numpy as np
import pytest

from labeling.models import Image, JobKind, ModelVersion, Project
from labeling.rle import BoxMask
from labeling.services.images import image_segment
from labeling.services.segmentation import segmentation_store
from labeling.uncertainty import Evidence, uncertainty
from tests.factories import World, claim_of, ingest, make_base, make_image, make_ready_image, square

EVIDENCE = Evidence(np.array([0.9, 0.5, 0.3]), 0.4, np.array([0.8, 0.9]))


def segmented(
    image: Image, masks: list[BoxMask], version: ModelVersion, *, scores: list[float] | None = None
) -> Image:
    segmentation_store(
        claim=claim_of(image, JobKind.SEGMENT), image_id=image.pk, version_id=version.pk, masks=masks,
        scores=scores or [0.9] * len(masks), evidence=EVIDENCE,
    )  # fmt: skip
    image.refresh_from_db()
    return image


def test_it_works(world: World):
    image = segmented(ingest(make_image(world.project)), [square(0, 0), square(10, 10)], world.base)
    assert image.uncertainty == pytest.approx(uncertainty(EVIDENCE))


def test_the_cells_that_another_version_had_found_are_a_second_opinion(world: World):
    image = segmented(ingest(make_image(world.project)), [square(0, 0), square(10, 10)], world.base)
    image_segment(image=image)
    image = segmented(image, [square(0, 0), square(40, 40)], make_base(7))
    assert image.uncertainty == pytest.approx(uncertainty(EVIDENCE, disagreement=0.5))


def test_cells_that_were_too_faint_to_show_are_part_of_that_opinion(world: World):
    Project.objects.filter(pk=world.project.pk).update(score_tally=[[15, 30, 28, 26]], shown_from=0.75)
    masks = [square(0, 0), square(10, 10)]
    image = segmented(ingest(make_image(world.project)), masks, world.base, scores=[0.9, 0.5])
    assert image.cell_count == 1
    image_segment(image=image)
    image = segmented(image, masks, make_base(7))
    assert image.uncertainty == pytest.approx(uncertainty(EVIDENCE, disagreement=0.0))


def test_the_same_version_asked_again_is_no_second_opinion(world: World):
    image = segmented(ingest(make_image(world.project)), [square(0, 0)], world.base)
    image_segment(image=image)
    image = segmented(image, [square(40, 40)], world.base)
    assert image.uncertainty == pytest.approx(uncertainty(EVIDENCE))


def test_it_is_unknown_without_evidence(world: World):
    assert make_ready_image(world.project).uncertainty is None
