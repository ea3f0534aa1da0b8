"""A training run from submitted images to the gate, as the queue runs it."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings

from labeling.models import Image, JobStatus, RunDecision, RunReason, TrainingRun
from labeling.patch import CellState, Patch
from labeling.rle import BoxMask
from labeling.selectors.cells import cell_states
from labeling.selectors.features import features_key
from labeling.selectors.model_versions import version_spec
from labeling.services.edits import edit_apply
from labeling.services.submissions import image_submit
from labeling.services.training import training_start
from tests.scenes import Scene, banded
from tests.worker.conftest import Lab, fresh
from worker.tasks.process import background_engine, version_weights
from worker.tasks.train import tune_model


@pytest.fixture(autouse=True)
def own_process() -> None:
    """An engine as a fresh worker has it: nothing in memory, one thread."""
    background_engine.cache_clear()


def submit(lab: Lab, image: Image, masks: list[BoxMask]) -> None:
    """Replace what the model found by these cells, and accept the image."""
    image = fresh(image)
    first = image.next_label
    added = tuple(
        CellState(str(uuid4()), first + i, mask.box, tuple(mask.rle), None, "person", None)
        for i, mask in enumerate(masks)
    )
    patch = Patch(added=added, removed=tuple(cell_states(image.pk).values()))
    saved = edit_apply(
        image_id=image.pk, author=lab.alice, edit_id=uuid4(), base_revision=image.revision, patch=patch
    )
    image_submit(image_id=image.pk, by=lab.alice, revision=saved.revision)


def labelled(lab: Lab, scenes: list[Scene]) -> list[Image]:
    images = [lab.segmented(scene, f"image{i}.tif") for i, scene in enumerate(scenes)]
    for image, scene in zip(images, scenes, strict=True):
        submit(lab, image, scene.masks)
    return images


def train(lab: Lab) -> TrainingRun:
    run = training_start(project_id=lab.project.pk, reason=RunReason.MANUAL, started_by=lab.alice)
    tune_model(str(run.job_id))
    return TrainingRun.objects.select_related("job", "candidate", "project").get(pk=run.pk)


@pytest.mark.slow
def test_it_works_without_the_trunk(lab: Lab) -> None:
    images = labelled(lab, [banded(seed, side=128, cells=6) for seed in range(4)])
    predictor = background_engine().predictor(version_weights(version_spec(lab.base)))
    calls = predictor.trunk_calls
    run = train(lab)
    assert run.job.status == JobStatus.SUCCEEDED
    assert predictor.trunk_calls == calls
    assert run.config["features_recomputed"] == 0
    assert run.candidate is not None
    assert run.candidate.parent_id == lab.base.pk
    assert run.decision == RunDecision.NOT_ENOUGH_EVIDENCE  # one held-out image is not five
    assert run.project.active_version_id == lab.base.pk
    assert run.evaluation["images"] == 1
    assert [point["step"] for point in run.curve][:2] == [0, 25]
    # The candidate reads the same features: promoting it would invalidate nothing.
    assert features_key(image=fresh(images[0]), version=run.candidate) == features_key(
        image=fresh(images[0]), version=lab.base
    )
    tuned = background_engine().predictor(version_weights(version_spec(run.candidate)))
    assert tuned.neck_hash == run.candidate.neck_hash


def test_too_few_cells_end_with_a_clear_reason(lab: Lab) -> None:
    labelled(lab, [banded(seed, side=96, cells=2) for seed in range(2)])
    run = train(lab)
    assert (run.job.status, run.decision) == (JobStatus.FAILED, RunDecision.FAILED)
    assert "too few to learn from" in run.decision_reason
    assert run.candidate is None
    assert run.project.active_version_id == lab.base.pk


def test_features_that_were_evicted_are_computed_again_and_counted(lab: Lab) -> None:
    images = labelled(lab, [banded(seed + 50, side=96, cells=2) for seed in range(2)])
    key = features_key(image=fresh(images[0]), version=lab.base)
    (path,) = Path(settings.FEATURES_DIR).glob(f"*/{key}.features")
    path.unlink()
    background_engine.cache_clear()  # as after a restart: nothing is left in memory
    train(lab)
    predictor = background_engine().predictor(version_weights(version_spec(lab.base)))
    assert predictor.trunk_calls == 1
    assert path.exists()
