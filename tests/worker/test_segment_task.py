"""From pixels to cells in the database, and features in the cache for everything that follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.core.files.storage import default_storage

from labeling.matching import count_matches
from labeling.models import Cell, Edit, Image, ImageStatus, Job, JobKind, JobStatus, Project
from labeling.rle import BoxMask
from labeling.selectors.features import features_key
from labeling.selectors.model_versions import version_spec
from labeling.services.images import channel_map_set, image_segment
from labeling.services.jobs import job_cancel
from labeling.services.segmentation import embedding_request
from tests.scenes import nuclei
from tests.worker.conftest import Lab, fresh, open_job
from worker.cellsam import sweep as sweep_module
from worker.engine import FeaturesAddress, FeaturesMissing, ImageSource
from worker.features import FeatureStore
from worker.tasks import inputs
from worker.tasks import lease as lease_module
from worker.tasks.inputs import features_address
from worker.tasks.process import background_engine, version_weights
from worker.tasks.segment import embed_image, segment_image


def trunk_calls(lab: Lab) -> int:
    return background_engine().predictor(version_weights(version_spec(lab.base))).trunk_calls


def places(image: Image) -> set[tuple[int, ...]]:
    """Boxes and runs of an image's cells."""
    cells = Cell.objects.filter(image=image)
    return {(cell.x0, cell.y0, cell.x1, cell.y1, *cell.rle) for cell in cells}


def test_it_works(lab: Lab) -> None:
    scene = nuclei(1)
    image = lab.segmented(scene)
    cells = list(Cell.objects.filter(image=image))
    assert image.status == ImageStatus.READY
    assert image.cell_count == len(cells) > 0
    assert {(cell.source, cell.model_version_id) for cell in cells} == {("model", lab.base.pk)}
    assert all(cell.score is not None and 0 < cell.score <= 1 for cell in cells)
    assert image.uncertainty is not None
    assert 0 < image.uncertainty < 0.5  # these nuclei are what the model knows
    found = np.zeros_like(scene.labels)
    for cell in cells:
        BoxMask((cell.x0, cell.y0, cell.x1, cell.y1), tuple(cell.rle)).paint(found, cell.label)
    assert count_matches(scene.labels, found).f1 > 0.7
    assert Edit.objects.get(image=image).source == "model"


def test_a_second_segmentation_runs_no_trunk(lab: Lab) -> None:
    image = lab.segmented(nuclei(2))
    calls = trunk_calls(lab)
    image_segment(image=image)
    segment_image(str(open_job(image, JobKind.SEGMENT).pk))
    assert trunk_calls(lab) == calls
    assert fresh(image).status == ImageStatus.READY


def test_a_large_image_is_cancelled_between_steps_and_goes_on_later(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pixels are read in parts, its features lie in blocks of four tiles: those that are there stay."""
    scene = nuclei(8, side=460, cells=50)
    whole = lab.segmented(scene)
    store = FeatureStore(Path(settings.FEATURES_DIR), budget_bytes=2**30)
    key = features_key(image=whole, version=lab.base)
    assert [store.holds(key, block) for block in (None, 0)] == [True, False]

    monkeypatch.setattr(sweep_module, "BLOCK_TILES", 4)
    monkeypatch.setattr(inputs, "WHOLE_PX", 0)
    monkeypatch.setattr(lease_module, "RENEW_EVERY_S", 0.0)
    image = lab.ingested(scene, "again.tif")
    job, calls = open_job(image, JobKind.SEGMENT), trunk_calls(lab)

    with monkeypatch.context() as patch:
        put = FeatureStore.put

        def cancel(*stored: Any) -> None:
            put(*stored)
            job_cancel(job_id=job.pk)

        patch.setattr(FeatureStore, "put", cancel)
        segment_image(str(job.pk))
    job.refresh_from_db()
    assert features_key(image=image, version=lab.base) == key  # the same file
    assert job.status == JobStatus.CANCELLED
    assert [store.holds(key, block) for block in (0, 1)] == [True, False]
    assert trunk_calls(lab) == calls + 1

    image_segment(image=fresh(image))
    segment_image(str(open_job(image, JobKind.SEGMENT).pk))
    assert trunk_calls(lab) == calls + 3
    assert fresh(image).status == ImageStatus.READY
    assert places(image) == places(whole)
    assert len(places(image)) > 20


def test_features_can_be_computed_alone(lab: Lab) -> None:
    image = lab.ingested(nuclei(3))
    address, version = features_address(image, lab.base), version_weights(version_spec(lab.base))
    with pytest.raises(FeaturesMissing):
        background_engine().labels(address, version)
    job = embedding_request(image_id=image.pk)
    embed_image(str(job.pk))
    job.refresh_from_db()
    assert job.status == JobStatus.SUCCEEDED
    assert background_engine().labels(address, version).masks
    assert fresh(image).cell_count == 0


def test_an_image_without_cells_is_ready(lab: Lab) -> None:
    scene = nuclei(4)
    empty = type(scene)(np.full_like(scene.image, 100), np.zeros_like(scene.labels))
    image = lab.segmented(empty)
    assert (image.status, image.cell_count) == (ImageStatus.READY, 0)


def test_a_project_without_a_model_says_so(lab: Lab) -> None:
    image = lab.ingested(nuclei(5))
    Project.objects.filter(pk=lab.project.pk).update(active_version=None)
    segment_image(str(open_job(image, JobKind.SEGMENT).pk))
    assert fresh(image).status == ImageStatus.FAILED
    assert "no active model" in fresh(image).error


def test_weights_that_were_changed_are_not_used(lab: Lab) -> None:
    image = lab.ingested(nuclei(6))
    with Path(default_storage.path(str(lab.base.weights.name))).open("ab") as file:
        file.write(b"changed")
    background_engine.cache_clear()  # as in a fresh process: nothing is in memory
    segment_image(str(open_job(image, JobKind.SEGMENT).pk))
    job = Job.objects.get(image=image, kind=JobKind.SEGMENT)
    assert job.status == JobStatus.FAILED
    assert "was changed" in job.error


def test_features_are_made_of_the_channels_that_their_address_names(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone maps the channels anew while the job is on its way: nothing is stored under the wrong address."""
    image = lab.ingested(nuclei(7))
    roles_then, asked = ("whole_cell",), []

    def embed(address: FeaturesAddress, source: ImageSource, *_: object, **__: object) -> None:
        channel_map_set(
            project=lab.project, channel_map={"nuclear": "Channel 1", "whole_cell": None, "rgb": False}
        )
        asked.append(source()[1])

    monkeypatch.setattr(background_engine(), "embed", embed)
    embed_image(str(embedding_request(image_id=image.pk).pk))
    assert asked == [roles_then]
