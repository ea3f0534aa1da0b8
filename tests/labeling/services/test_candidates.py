"""A run with several candidates: all are stored, one at most is promoted, and nothing of them changes any more."""

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from labeling.errors import ClaimLost
from labeling.ladder import Rung
from labeling.models import Job, ModelVersion, Project, TrainingRun, VersionStatus
from labeling.selectors.loop import loop_view
from labeling.selectors.training import run_settings
from labeling.services.activation import version_activate
from labeling.services.jobs import job_claim, job_fail
from labeling.services.projects import project_delete
from labeling.services.training import training_start
from tests.factories import World, make_tuned
from tests.labeling.services.test_training import complete, start, submit_plenty, submit_two, trained

NECK, FINDER, TRUNK = Rung.NECK, Rung.FINDER, Rung.TRUNK


def versions(world: World) -> dict[int, ModelVersion]:
    """The project's own, by rung."""
    return {version.rung: version for version in ModelVersion.objects.filter(project=world.project)}


def active(world: World) -> ModelVersion | None:
    return Project.objects.get(pk=world.project.pk).active_version


def test_the_lowest_rung_that_is_best_is_promoted(world: World):
    submit_two(world)
    run, claim = start(world)
    complete(run, claim, trained(40, rung=NECK), trained(40, rung=FINDER))
    found = versions(world)
    run.refresh_from_db()
    assert run.candidate == found[NECK] == active(world)
    assert found[NECK].status == VersionStatus.PROMOTED
    assert found[FINDER].status == VersionStatus.REJECTED
    assert found[FINDER].reason.startswith(
        "Better than the active version, but not clearly better than rung 1"
    )


def test_a_higher_rung_that_is_clearly_better_is_promoted(world: World):
    submit_two(world)
    run, claim = start(world)
    complete(run, claim, trained(40, rung=NECK), trained(45, rung=FINDER))
    found = versions(world)
    assert active(world) == found[FINDER]
    assert found[NECK].reason.startswith("Better than the active version, but rung 2 is clearly better still")


def test_a_good_rung_is_promoted_beside_a_bad_one(world: World):
    submit_two(world)
    run, claim = start(world)
    assert complete(run, claim, trained(20, rung=NECK), trained(40, rung=FINDER)).outcome == "promoted"
    found = versions(world)
    assert (active(world), found[NECK].status) == (found[FINDER], VersionStatus.REJECTED)
    assert found[NECK].reason.startswith("Not better")


def test_each_candidate_keeps_what_it_was_made_of_and_how_it_did(world: World):
    submit_two(world)
    run, claim = start(world)
    complete(run, claim, trained(20, rung=NECK), trained(25, rung=FINDER))
    assert set(run.candidates.values_list("rung", flat=True)) == {1, 2}
    version = versions(world)[FINDER]
    assert (version.run, version.parent, version.snapshot) == (run, world.base, run.snapshot)
    assert (version.config, version.curve) == ({"epochs": 3}, [{"step": 1, "loss": 0.5}])
    assert (version.neck_hash, version.finder_hash) == ("2" * 64, "f" * 64)
    assert version.weights.open("rb").read() == b"rung 2"
    assert version.metrics["f1"] == pytest.approx(0.5)
    assert version.evaluation["gate"]["f1"]["active"] == pytest.approx(0.6)
    run.refresh_from_db()
    assert run.candidate == version  # the better of two that were rejected


@pytest.mark.parametrize(
    "change",
    [
        {"weights_sha256": "0" * 64}, {"weights": "elsewhere"}, {"parent": None}, {"snapshot": [1]}, {"rung": 2},
        {"config": {"a": 1}}, {"metrics": {"f1": 1.0}}, {"curve": [1]}, {"threshold": 0.9}, {"neck_hash": "x"},
        {"reason": "!"},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_the_database_lets_nobody_change_a_version(world: World, change: dict[str, object]):
    version = make_tuned(world.project)
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        ModelVersion.objects.filter(pk=version.pk).update(**change)
    ModelVersion.objects.filter(pk=version.pk).update(status=VersionStatus.PROMOTED, name="renamed")


def test_a_worker_that_was_given_up_stores_nothing_beside_the_next_attempt(world: World):
    """Killed, or only slow: its lease ran out, another attempt finished, and then it comes back."""
    submit_two(world)
    run, late = start(world)
    job_fail(claim=late, error="gone", retry=True)
    claim = job_claim(job_id=run.job_id)
    assert claim is not None
    complete(run, claim)
    files = set(default_storage.listdir(f"weights/projects/{world.project.pk}/versions")[1])
    with pytest.raises(ClaimLost):
        complete(run, late, trained(49))
    assert ModelVersion.objects.filter(project=world.project).count() == 1
    assert set(default_storage.listdir(f"weights/projects/{world.project.pk}/versions")[1]) == files


def test_what_fails_half_way_leaves_no_version_and_no_file(world: World):
    submit_two(world)
    run, claim = start(world)
    version_activate(project_id=world.project.pk, version_id=make_tuned(world.project, number=1).pk)
    folder = f"weights/projects/{world.project.pk}/versions"
    before = set(default_storage.listdir(folder)[1])
    with pytest.raises(IntegrityError), transaction.atomic():  # a rung that no version can have
        complete(run, claim, trained(40), trained(45, rung=7))  # type: ignore[arg-type]
    assert set(default_storage.listdir(folder)[1]) == before
    assert Job.objects.get(pk=run.job_id).status == "running"
    assert ModelVersion.objects.filter(project=world.project).count() == 1


def test_a_run_is_told_what_to_try(world: World):
    submit_plenty(world, corrected=200)
    run = training_start(project_id=world.project.pk, reason="manual")
    assert run_settings(run) == {
        "rungs": [1, 2, 3], "deep": False, "replay_share": 0.25, "earlier_images": [], "seeds": [0],
        "imported": [],
    }  # fmt: skip
    claim = job_claim(job_id=run.job_id)
    assert claim is not None
    complete(run, claim)
    run.refresh_from_db()
    assert (run.config["images"], run.config["settings"]["rungs"]) == (2, [1, 2, 3])
    again = training_start(project_id=world.project.pk, reason="manual")
    assert run_settings(again)["earlier_images"] == [entry["image"] for entry in run.snapshot]
    assert run_settings(TrainingRun())["rungs"] == [1]


def test_a_project_that_has_trained_can_be_deleted(world: World):
    submit_two(world)
    run, claim = start(world)
    complete(run, claim, trained(40, rung=NECK), trained(45, rung=FINDER))
    project_delete(project=world.project)
    assert not ModelVersion.objects.filter(project__isnull=False).exists()


def test_the_page_shows_all_candidates(world: World):
    submit_two(world)
    run, claim = start(world)
    complete(run, claim, trained(40, rung=NECK), trained(45, rung=FINDER))
    states = {view.version.rung: view.state for view in loop_view(project_of(world)).versions}
    assert states == {0: "earlier", 1: "rejected", 2: "active"}


def project_of(world: World) -> Project:
    return Project.objects.get(pk=world.project.pk)
