"""Rows of earlier releases after the tables changed."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from labeling.models import Image, ModelVersion, Project, Submission
from labeling.score_tally import ScoreTally
from labeling.selectors.model_versions import version_spec

pytestmark = pytest.mark.django_db(transaction=True)
LABELLING_TOOL = ("labeling", "0002_labelling_tool")


def migrate(*targets: tuple[str, str]) -> Any:
    """The models as they were at these migrations."""
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets))
    return MigrationExecutor(connection).loader.project_state(list(targets)).apps


@pytest.fixture
def before() -> Iterator[Any]:
    """The tables of the release before the loop; today's again in the end."""
    latest = [
        node for node in MigrationExecutor(connection).loader.graph.leaf_nodes() if node[0] == "labeling"
    ]
    yield migrate(LABELLING_TOOL)
    migrate(*latest)


def old_project(models: Any) -> Any:
    """A project that tuned a neck, on a schedule, with a submitted image."""
    get = lambda name: models.get_model("labeling", name).objects  # noqa: E731
    weights = {
        "architecture": "tiny", "trunk_hash": "t" * 64, "neck_hash": "n" * 64, "preprocessing": "p", "threshold": 0.4,
    }  # fmt: skip
    base = get("ModelVersion").create(
        number=1, name="tiny 1", status="base", weights="base", weights_sha256="a" * 64, **weights
    )
    project = get("Project").create(name="Old", active_version=base, train_schedule="0 2 * * 1")
    tuned = get("ModelVersion").create(
        project=project, parent=base, number=1, name="v1", status="promoted", weights="neck",
        weights_sha256="b" * 64, **weights,
    )  # fmt: skip
    image = get("Image").create(
        project=project, name="a.png", file="a", sha256="c" * 64, byte_size=1, width=8, height=8, dtype="uint8",
        status="submitted", submitted_at=timezone.now(), split="held_out", group_key="a",
    )  # fmt: skip
    submission = get("Submission").create(image=image, revision=1, missed=2)
    get("CellOutcome").create(submission=submission, cell_id=uuid4(), kind="missed", model_version=base)
    get("TrainingRun").create(
        project=project, job=get("Job").create(kind="train", project=project), base=base, compared_with=base,
        candidate=tuned, reason="manual", snapshot=[{"image": str(image.pk), "revision": 1, "split": "held_out"}],
        config={"steps": 3}, curve=[{"step": 0}], evaluation={"images": 1, "per_image": {"active": []}},
        decision="promoted", decision_reason="Better.", finished_at=timezone.now(),
    )  # fmt: skip
    return project


def test_a_project_that_had_tuned_a_neck_goes_on(before: Any) -> None:
    project_id = old_project(before).pk
    migrate(("labeling", "0005_outlines_by_score"))

    tuned = ModelVersion.objects.select_related("parent").get(project=project_id)
    run = Project.objects.get(pk=project_id).runs.get()
    assert (tuned.rung, tuned.run, tuned.finder_hash) == (1, run, "")
    assert (tuned.config, tuned.curve, tuned.snapshot) == (run.config, run.curve, run.snapshot)
    assert (tuned.reason, tuned.evaluation) == ("Better.", {"images": 1})
    assert version_spec(tuned)["tuned"] == {"path": "neck", "sha256": "b" * 64}
    assert ModelVersion.objects.get(project=None).rung == 0
    image = Image.objects.get(project=project_id)
    assert (image.blind, image.uncertainty, 0 <= image.draw < 1) == (False, None, True)
    submission = Submission.objects.get(image=image)
    assert (submission.model_version, submission.seconds) == (tuned.parent, None)

    from django_celery_beat.models import PeriodicTask

    task = PeriodicTask.objects.get(name=f"train-project-{project_id}")
    assert (task.crontab.hour, task.crontab.day_of_week) == ("2", "1")


def test_what_was_observed_of_a_version_is_kept(before: Any) -> None:
    models = migrate(("labeling", "0004_observed_precision"))
    get = lambda name: models.get_model("labeling", name).objects  # noqa: E731
    base = get("ModelVersion").create(
        number=2, name="tiny 2", status="base", weights="base", weights_sha256="a" * 64, architecture="tiny",
        trunk_hash="t" * 64, neck_hash="n" * 64, preprocessing="p", threshold=0.4,
    )  # fmt: skip
    project = get("Project").create(name="Old", active_version=base, observed_found=20, observed_right=9)
    shown, hidden = (
        get("Image").create(
            project=project, name=name, file=name, sha256="c" * 64, byte_size=1, width=8, height=8, dtype="uint8",
            status="ready", split="train", group_key=name,
        )
        for name in ("shown.png", "hidden.png")
    )  # fmt: skip
    job = get("Job").create(kind="segment", project=project, image=hidden)
    get("Proposal").create(image=hidden, job=job, model_version=base, patch={"added": []})
    migrate(("labeling", "0005_outlines_by_score"))

    after = Project.objects.get(pk=project.pk)
    assert ScoreTally.from_rows(after.score_tally).precision == 0.45
    assert after.shown_from == 0.0
    assert Image.objects.get(pk=shown.pk).shown_from == 0.0
    assert Image.objects.get(pk=hidden.pk).shown_from is None
