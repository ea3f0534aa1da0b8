"""A training run from submitted images to the gate, as the queue runs it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.utils import timezone

from labeling.ladder import Rung
from labeling.models import (
    Image,
    Job,
    JobKind,
    JobStatus,
    ModelVersion,
    RunDecision,
    RunReason,
    TrainingRun,
    VersionStatus,
)
from labeling.patch import CellState, Patch
from labeling.rle import BoxMask
from labeling.selectors.cells import cell_states
from labeling.selectors.features import features_key
from labeling.selectors.model_versions import version_spec
from labeling.services.edits import edit_apply
from labeling.services.images import image_delete
from labeling.services.jobs import job_claim, job_create
from labeling.services.submissions import image_submit
from labeling.services.training import training_start
from tests.scenes import Scene, banded
from tests.worker.conftest import Lab, fresh, unread
from worker.cellsam import Predictor
from worker.cellsam.checkpoint import TunedFile, tuned_bytes
from worker.cellsam.tuning import Schedule, TuningConfig
from worker.tasks.corrections import Corrections
from worker.tasks.inputs import features_address
from worker.tasks.lease import Lease
from worker.tasks.process import background_engine, version_weights
from worker.tasks.segment import embed_image
from worker.tasks.train import _climbed, tune_model


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
    return fresh_run(run)


def fresh_run(run: TrainingRun) -> TrainingRun:
    return TrainingRun.objects.select_related("job", "candidate", "project").get(pk=run.pk)


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> TuningConfig:
    """Steps enough to see every part of a run, and no more."""
    schedule = Schedule(rate=1e-3, passes=1, least=2, most=2, check_every=1, clip=3.0)
    config = TuningConfig(
        neck=schedule, finder=schedule, trunk=schedule, windows_a_step=1, prompts=2, tiles_a_step=1,
        half_tiles_a_step=1, whole_tiles_a_step=1, max_validation_cells=4, min_cells=4,
    )  # fmt: skip
    monkeypatch.setattr(
        "worker.tasks.corrections.TuningConfig", lambda **settings: replace(config, **settings)
    )
    return config


def start(lab: Lab, *rungs: Rung) -> TrainingRun:
    """A run by hand that is told to try these rungs."""
    run = training_start(project_id=lab.project.pk, reason=RunReason.MANUAL, started_by=lab.alice)
    run.config["settings"]["rungs"] = [int(rung) for rung in rungs]
    run.save(update_fields=["config"])
    return run


def scenes_of(count: int) -> list[Scene]:
    return [banded(seed, side=96, cells=3) for seed in range(count)]


def test_each_rung_gives_a_candidate_without_the_trunk(lab: Lab, brief: TuningConfig) -> None:
    images = labelled(lab, scenes_of(4))
    predictor = background_engine().predictor(version_weights(version_spec(lab.base)))
    calls = predictor.trunk_calls
    run = start(lab, Rung.NECK, Rung.FINDER)
    tune_model(str(run.job_id))
    run = fresh_run(run)
    assert run.job.status == JobStatus.SUCCEEDED
    assert predictor.trunk_calls == calls
    assert run.config["features_recomputed"] == 0
    assert run.config["training_images"] + run.config["validation_images"] == run.config["images"] == 3
    assert run.decision == RunDecision.NOT_ENOUGH_EVIDENCE  # one held-out image is not five
    assert run.project.active_version_id == lab.base.pk
    neck, finder = run.candidates.order_by("rung")
    assert (neck.rung, finder.rung) == (1, 2)
    assert [point["step"] for point in neck.curve] == [0, 1, 2]
    assert neck.config["quality"] == "mean IoU of masks from true boxes"
    for version in (neck, finder):
        # It reads the same features: promoting it would invalidate nothing.
        assert features_key(image=fresh(images[0]), version=version) == features_key(
            image=fresh(images[0]), version=lab.base
        )
        assert version.parent_id == lab.base.pk
        background_engine().predictor(version_weights(version_spec(version)))
    assert not list((settings.DATA_DIR / "tuning").glob("*"))


class Killed(BaseException):
    """What a worker that is killed never gets to handle."""


def test_a_killed_run_goes_on_where_it_was(
    lab: Lab, brief: TuningConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled(lab, scenes_of(4))
    run = start(lab, Rung.NECK, Rung.FINDER)

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("worker.tasks.train.training_complete", killed)
        with pytest.raises(Killed):
            tune_model(str(run.job_id))
    kept = settings.DATA_DIR / "tuning" / str(run.pk)
    assert {path.stem for path in kept.iterdir()} == {"neck", "finder"}
    run = fresh_run(run)
    assert (run.decision, run.candidate, run.project.active_version_id) == ("", None, lab.base.pk)
    Job.objects.filter(pk=run.job_id).update(lease_until=timezone.now() - timedelta(seconds=1))

    with monkeypatch.context() as patch:  # nothing is learned twice
        patch.setattr("worker.cellsam.tuning.neck.NeckLearner.loss", killed)
        patch.setattr("worker.cellsam.tuning.finder.FinderLearner.loss", killed)
        tune_model(str(run.job_id))
    run = fresh_run(run)
    assert run.job.status == JobStatus.SUCCEEDED
    assert run.candidates.count() == 2
    assert not kept.exists()


def test_a_rung_that_fails_takes_none_of_those_below_along(
    lab: Lab, brief: TuningConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled(lab, scenes_of(3))
    run = start(lab, Rung.NECK, Rung.FINDER)
    broken = replace(brief, finder=replace(brief.finder, rate=1e30))
    monkeypatch.setattr(
        "worker.tasks.corrections.TuningConfig", lambda **settings: replace(broken, **settings)
    )
    tune_model(str(run.job_id))
    run = fresh_run(run)
    assert run.job.status == JobStatus.SUCCEEDED
    assert [version.rung for version in run.candidates.all()] == [1]
    assert "not finite" in run.config["given_up"]["finder"]


def stored(lab: Lab, made: Predictor, base: Predictor) -> ModelVersion:
    """A version with a trunk of its own, as a run leaves it."""
    parts = {name: dict(made.model.get_submodule(name).state_dict()) for name in ("neck", "finder", "trunk")}
    weights = tuned_bytes(
        TunedFile(3, parts, base.trunk_hash, made.trunk_hash, made.neck_hash, made.finder_hash, 0.5)
    )
    version = ModelVersion(
        project=lab.project, parent=lab.base, number=1, name="v1", rung=3, architecture="tiny",
        weights_sha256=hashlib.sha256(weights).hexdigest(), trunk_hash=made.trunk_hash,
        neck_hash=made.neck_hash, finder_hash=made.finder_hash, preprocessing=lab.base.preprocessing,
        threshold=0.5, status=VersionStatus.PROMOTED,
    )  # fmt: skip
    version.weights.save("tuned.safetensors", ContentFile(weights), save=False)
    version.save()
    return version


def test_a_version_with_a_trunk_of_its_own_gets_features_of_its_own(lab: Lab) -> None:
    """The job names the version, which is not the active one yet."""
    image = lab.ingested(banded(1, side=96, cells=2))
    base = background_engine().predictor(version_weights(version_spec(lab.base)))
    trunk = {name: (t * 1.01).half().float() for name, t in base.model.trunk.state_dict().items()}
    made = base.with_parts({"trunk": trunk})
    version = stored(lab, made, base)
    key = features_key(image=image, version=version)
    assert key != features_key(image=image, version=lab.base)
    payload = {"version": str(version.pk)}
    job = job_create(kind=JobKind.EMBED, project=lab.project, image=image, payload=payload)
    embed_image(str(job.pk))
    weights = version_weights(version_spec(version))
    features = background_engine().features(features_address(image, version), unread, weights)
    assert features.trunk_hash == made.trunk_hash


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


def test_images_that_are_deleted_after_the_start_are_not_read_as_images_without_cells(lab: Lab) -> None:
    images = labelled(lab, scenes_of(4))
    claim = job_claim(job_id=start(lab, Rung.NECK).job_id)
    assert claim is not None
    corrections = Corrections(Lease(claim))
    assert (corrections.count("train"), corrections.count("held_out")) == (3, 1)
    image_delete(image=images[0])
    image_delete(image=images[3])
    assert {sample.cluster for sample in corrections.training()} == {image.group_key for image in images[1:3]}
    assert list(corrections.held_out()) == []


def test_a_held_out_image_that_is_deleted_during_a_run_is_not_judged(
    lab: Lab, brief: TuningConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_out = labelled(lab, scenes_of(4))[3]

    def climbed_while_it_goes(*args: Any) -> Any:
        image_delete(image=held_out)
        return _climbed(*args)

    monkeypatch.setattr("worker.tasks.train._climbed", climbed_while_it_goes)
    run = start(lab, Rung.NECK)
    tune_model(str(run.job_id))
    run = fresh_run(run)
    assert (run.job.status, run.decision) == (JobStatus.SUCCEEDED, RunDecision.NOT_ENOUGH_EVIDENCE)
    assert (run.evaluation["all"]["images"], run.evaluation["active"]["found"]) == (0, 0)
