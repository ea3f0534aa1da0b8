"""The loop: when a run starts, what the gate's word does, and going back."""

from uuid import uuid4

import pytest
from django.utils import timezone

from labeling.errors import ClaimLost, Conflict, Invalid, NotFound
from labeling.gate import ImageScore
from labeling.ladder import Rung
from labeling.models import (
    Image,
    Job,
    JobKind,
    JobStatus,
    ModelVersion,
    Presegmentation,
    Project,
    Promotion,
    RunDecision,
    RunReason,
    Split,
    TrainingRun,
    VersionStatus,
)
from labeling.patch import Patch
from labeling.selectors.cells import cell_states
from labeling.selectors.loop import loop_view
from labeling.selectors.training import corrections_since, evidence, run_get, run_images
from labeling.services.activation import version_activate
from labeling.services.edits import edit_apply
from labeling.services.jobs import Claim, job_cancel, job_claim, job_renew
from labeling.services.projects import project_create, project_update
from labeling.services.submissions import image_submit
from labeling.services.training import (
    TrainedCandidate,
    training_complete,
    training_failed,
    training_start,
    training_start_scheduled,
    trainings_due_start,
)
from tests.factories import World, make_base, make_ready_image, square


def submit_with_corrections(world: World, *, seed: int, corrected: int = 1, cells: int = 3) -> Image:
    """An image of ``cells`` cells, of which ``corrected`` were false."""
    squares = [square(4 * (k % 20), 4 * (k // 20), 3) for k in range(cells)]
    image = make_ready_image(world.project, squares, seed=seed)
    correct(image, world, corrected)
    image.refresh_from_db()
    return image


def submit_two(world: World, *, seed: int = 0, corrected: int = 1) -> tuple[Image, Image]:
    """Enough to train by hand: two images with cells, of which the first was corrected."""
    first = submit_with_corrections(world, seed=seed, corrected=corrected)
    return first, submit_with_corrections(world, seed=seed + 1, corrected=0)


def submit_plenty(world: World, *, corrected: int = 50) -> None:
    """Enough to train without being asked: two images, and as many corrected cells. So many false ones would hide the
    outlines of all images that follow."""
    world.project.presegmentation = Presegmentation.ALWAYS
    world.project.save(update_fields=["presegmentation"])
    submit_with_corrections(world, seed=0, corrected=corrected, cells=corrected + 3)
    submit_with_corrections(world, seed=1, corrected=0)


def correct(image: Image, world: World, corrected: int) -> None:
    revision = Image.objects.get(pk=image.pk).revision
    removed = tuple(cell_states(image.pk).values())[:corrected]
    if removed:
        edit_apply(
            image_id=image.pk,
            author=world.bob,
            edit_id=uuid4(),
            base_revision=revision,
            patch=Patch(removed=removed),
        )
        revision += 1
    image_submit(image_id=image.pk, by=world.bob, revision=revision)


def start(world: World) -> tuple[TrainingRun, Claim]:
    run = training_start(project_id=world.project.pk, reason=RunReason.MANUAL, started_by=world.alice)
    claim = job_claim(job_id=run.job_id)
    assert claim is not None
    return run, claim


def scores(tp: int, *, n: int = 6) -> list[ImageScore]:
    return [ImageScore(str(k), "nuclei", tp, 50 - tp, 50 - tp, 40.0, 50) for k in range(n)]


def trained(
    tp: int = 40, *, rung: Rung = Rung.NECK, n: int = 6, trunk_hash: str = "t" * 64
) -> TrainedCandidate:
    """A candidate that finds ``tp`` of 50 cells in each of ``n`` images."""
    return TrainedCandidate(
        rung=rung, weights=f"rung {rung}".encode(), trunk_hash=trunk_hash, neck_hash=f"{rung}" * 64,
        finder_hash="f" * 64, threshold=0.45, scores=scores(tp, n=n), curve=[{"step": 1, "loss": 0.5}],
        config={"epochs": 3},
    )  # fmt: skip


def complete(run: TrainingRun, claim: Claim, *candidates: TrainedCandidate, active: int = 30, n: int = 6):
    return training_complete(
        claim=claim, run_id=run.pk, active_scores=scores(active, n=n), candidates=candidates or (trained(n=n),),
        config={"images": 2},
    )  # fmt: skip


def project_of(world: World) -> Project:
    return Project.objects.get(pk=world.project.pk)


def test_it_works(world: World):
    image, other = submit_two(world)
    run, claim = start(world)
    assert run.snapshot == [
        {"image": str(image.pk), "revision": 2, "split": "train"},
        {"image": str(other.pk), "revision": 1, "split": "train"},
    ]
    assert (run.base, run.compared_with, run.corrected_cells) == (world.base, world.base, 1)

    decision = complete(run, claim)

    assert decision.outcome == "promoted"
    run.refresh_from_db()
    assert run.candidate is not None
    assert (run.decision, run.candidate.status) == (RunDecision.PROMOTED, VersionStatus.PROMOTED)
    assert (run.candidate.name, run.candidate.parent, run.candidate.threshold) == ("v1", world.base, 0.45)
    assert (run.candidate.trunk_hash, run.candidate.neck_hash) == (world.base.trunk_hash, "1" * 64)
    assert run.candidate.weights.open("rb").read() == b"rung 1"
    assert project_of(world).active_version == run.candidate
    assert Job.objects.get(pk=run.job_id).status == JobStatus.SUCCEEDED
    assert run.evaluation["active"]["f1"] < run.evaluation["candidate"]["f1"]
    assert Promotion.objects.filter(project=world.project, run=run).count() == 1


def test_a_worse_candidate_is_kept_and_not_promoted(world: World):
    submit_two(world)
    run, claim = start(world)
    assert complete(run, claim, trained(30), active=40).outcome == "rejected"
    run.refresh_from_db()
    assert run.candidate is not None
    assert run.candidate.status == VersionStatus.REJECTED
    assert "Not better" in run.decision_reason
    assert project_of(world).active_version == world.base


def test_too_few_held_out_images_promote_nothing(world: World):
    submit_two(world)
    run, claim = start(world)
    assert complete(run, claim, n=4).outcome == "not_enough_evidence"
    assert project_of(world).active_version == world.base


def test_a_tuned_version_is_compared_with_the_active_one_and_starts_from_the_base(world: World):
    submit_two(world)
    first, claim = start(world)
    complete(first, claim)
    submit_with_corrections(world, seed=2)
    second, claim = start(world)
    first.refresh_from_db()
    assert (second.base, second.compared_with) == (world.base, first.candidate)
    assert second.corrected_cells == 1
    complete(second, claim)
    second.refresh_from_db()
    assert second.candidate is not None
    assert (second.candidate.name, second.candidate.parent) == ("v2", world.base)


def test_a_run_that_was_overtaken_by_hand_promotes_nothing(world: World):
    submit_two(world)
    run, claim = start(world)
    other = make_base(2)
    version_activate(project_id=world.project.pk, version_id=other.pk, by=world.alice)
    decision = complete(run, claim)
    assert decision.outcome == "rejected"
    assert "changed during the run" in decision.reason
    assert project_of(world).active_version == other


def test_a_lost_claim_changes_nothing(world: World):
    submit_two(world)
    run, claim = start(world)
    Job.objects.filter(pk=run.job_id).update(fence=5)
    with pytest.raises(ClaimLost):
        complete(run, claim)
    run.refresh_from_db()
    assert (run.decision, run.candidate) == ("", None)
    assert project_of(world).active_version == world.base


def test_there_is_one_run_at_a_time(world: World):
    submit_two(world)
    start(world)
    with pytest.raises(Conflict, match="already"):
        training_start(project_id=world.project.pk, reason=RunReason.MANUAL)


def test_it_refuses_to_train_on_nothing(world: World):
    with pytest.raises(Invalid, match="No image") as caught:
        training_start(project_id=world.project.pk, reason=RunReason.MANUAL)
    assert caught.value.code == "not_enough_data"


def test_held_out_images_alone_are_nothing_to_train_on(world: World):
    image = submit_with_corrections(world, seed=0)
    Image.objects.filter(pk=image.pk).update(split=Split.HELD_OUT)
    with pytest.raises(Invalid, match="training part"):
        training_start(project_id=world.project.pk, reason=RunReason.MANUAL)


def test_images_without_cells_are_nothing_to_train_on(world: World):
    submit_with_corrections(world, seed=0, corrected=3)
    with pytest.raises(Invalid, match="no cells"):
        training_start(project_id=world.project.pk, reason=RunReason.MANUAL)


def test_a_failed_run_says_why(world: World):
    submit_two(world)
    run, claim = start(world)
    training_failed(claim=claim, run_id=run.pk, reason="The loss became NaN.")
    run.refresh_from_db()
    assert (run.decision, run.decision_reason) == (RunDecision.FAILED, "The loss became NaN.")
    assert run.finished_at is not None


def test_a_failed_run_uses_no_corrections_up_and_is_not_repeated_on_the_same(world: World):
    project_update(project=world.project, correction_threshold=50)
    submit_plenty(world)
    assert trainings_due_start() == 1
    run = TrainingRun.objects.get()
    training_failed(claim=claim_job(run), run_id=run.pk, reason="The loss became NaN.")
    assert loop_view(world.project).corrections["since_last_run"] == 50
    assert trainings_due_start() == 0
    submit_with_corrections(world, seed=2, corrected=1)
    assert trainings_due_start() == 1
    assert TrainingRun.objects.latest("created_at").corrected_cells == 51


def test_a_cancelled_run_is_over(world: World):
    submit_two(world)
    run = training_start(project_id=world.project.pk, reason=RunReason.MANUAL)
    job_cancel(job_id=run.job_id)
    run.refresh_from_db()
    assert (run.decision, run.decision_reason) == (RunDecision.FAILED, "Cancelled.")
    training_start(project_id=world.project.pk, reason=RunReason.MANUAL)


def test_the_threshold_starts_a_run(world: World):
    project_update(project=world.project, correction_threshold=51)
    submit_plenty(world)
    assert trainings_due_start() == 0
    submit_with_corrections(world, seed=2, corrected=1)
    assert trainings_due_start() == 1
    assert trainings_due_start() == 0
    assert TrainingRun.objects.get().reason == RunReason.THRESHOLD


def test_by_itself_no_run_starts_before_fifty_corrected_cells(world: World):
    project_update(project=world.project, correction_threshold=2)
    submit_plenty(world, corrected=49)
    assert trainings_due_start() == 0
    with pytest.raises(Invalid, match=r"49 cells .* starts from 50"):
        training_start(project_id=world.project.pk, reason=RunReason.THRESHOLD)
    submit_with_corrections(world, seed=2, corrected=1)
    assert trainings_due_start() == 1


def test_by_itself_a_run_that_can_promote_nothing_tunes_the_neck_alone(world: World):
    project_update(project=world.project, correction_threshold=50)
    submit_plenty(world, corrected=210)  # enough for the whole ladder
    assert trainings_due_start() == 1
    by_itself = TrainingRun.objects.get()
    assert by_itself.config["settings"]["rungs"] == [1]
    training_failed(claim=claim_job(by_itself), run_id=by_itself.pk, reason="The loss became NaN.")

    by_hand = training_start(project_id=world.project.pk, reason=RunReason.MANUAL)
    assert by_hand.config["settings"]["rungs"] == [1, 2, 3]
    training_failed(claim=claim_job(by_hand), run_id=by_hand.pk, reason="The loss became NaN.")

    submit_with_corrections(world, seed=20, corrected=1)
    held_out = [submit_with_corrections(world, seed=10 + seed, corrected=0).pk for seed in range(5)]
    Image.objects.filter(project=world.project).update(split=Split.TRAIN)
    Image.objects.filter(pk__in=held_out).update(split=Split.HELD_OUT, blind=True, cell_count=3)
    assert trainings_due_start() == 1
    assert TrainingRun.objects.latest("created_at").config["settings"]["rungs"] == [1, 2, 3]


def test_corrections_are_counted_anew_after_each_run(world: World):
    project_update(project=world.project, correction_threshold=50)
    submit_plenty(world)
    assert trainings_due_start() == 1
    run = TrainingRun.objects.get()
    complete(run, claim_job(run))
    assert trainings_due_start() == 0


def claim_job(run: TrainingRun) -> Claim:
    claim = job_claim(job_id=run.job_id)
    assert claim is not None
    return claim


def test_an_image_submitted_again_counts_by_what_was_added(world: World):
    image = submit_with_corrections(world, seed=0, corrected=2)
    since = timezone.now()
    correct(image, world, 1)
    assert corrections_since(world.project, None) == 3
    assert corrections_since(world.project, since) == 1


def test_the_schedule_starts_a_run_if_something_was_corrected(world: World):
    assert not training_start_scheduled(project_id=world.project.pk)
    submit_plenty(world)
    assert training_start_scheduled(project_id=world.project.pk)
    run = TrainingRun.objects.get()
    assert run.reason == RunReason.SCHEDULE
    assert not training_start_scheduled(project_id=world.project.pk)  # one at a time
    complete(run, claim_job(run))
    assert not training_start_scheduled(project_id=world.project.pk)  # nothing new


@pytest.mark.parametrize("line", ["* * * *", "61 * * * *", "every night", "0 2 * * * *", "0 25 * * *"])
def test_it_rejects_what_is_no_crontab(world: World, line: str):
    with pytest.raises(Invalid):
        project_update(project=world.project, train_schedule=line)


def test_going_back_is_one_call_and_on_record(world: World):
    submit_two(world)
    run, claim = start(world)
    complete(run, claim)
    version_activate(project_id=world.project.pk, version_id=world.base.pk, by=world.alice)
    assert project_of(world).active_version == world.base
    history = list(
        Promotion.objects.filter(project=world.project).order_by("at").values_list("version__name", "by")
    )
    assert history == [("tiny 1", None), ("v1", None), ("tiny 1", world.alice.pk)]


def test_who_goes_back_finds_what_the_last_run_measured(world: World):
    """Of a tuned version, too: more images are held out by then than when it was made."""
    submit_two(world)
    first, claim = start(world)
    complete(first, claim)  # it finds 40 of 50 cells
    first.refresh_from_db()
    assert first.candidate is not None
    second, claim = start(world)
    complete(second, claim, trained(45), active=35)
    version_activate(project_id=world.project.pk, version_id=first.candidate.pk, by=world.alice)
    assert project_of(world).active_precision == pytest.approx(0.7)


def test_a_rejected_version_may_be_promoted_by_hand(world: World):
    submit_two(world)
    run, claim = start(world)
    complete(run, claim, trained(30), active=40)
    run.refresh_from_db()
    assert run.candidate is not None
    version_activate(project_id=world.project.pk, version_id=run.candidate.pk, by=world.alice)
    run.refresh_from_db()
    assert project_of(world).active_version == run.candidate
    assert run.decision == RunDecision.REJECTED


def test_a_version_of_another_project_cannot_be_promoted(world: World):
    submit_two(world)
    run, claim = start(world)
    complete(run, claim)
    version = ModelVersion.objects.get(project=world.project)
    other = project_create(name="Other", created_by=world.charlie)
    with pytest.raises(NotFound):
        version_activate(project_id=other.pk, version_id=version.pk, by=world.charlie)


def test_evidence_counts_the_submitted_held_out_images(world: World):
    images = [make_ready_image(world.project, seed=seed) for seed in range(8)]
    found = evidence(world.project)
    assert (found.images, found.submitted, found.deciding) == (3, 0, 0)
    correct(images[3], world, 0)
    found = evidence(world.project)
    assert (found.submitted, found.deciding) == (1, 0)  # nobody drew a cell in it


def test_the_worker_reads_the_snapshot(world: World):
    image, other = submit_two(world)
    run, _ = start(world)
    assert run_images(run_get(run.job_id)) == [(image, 2, Split.TRAIN), (other, 1, Split.TRAIN)]
    image.delete()
    assert run_images(run_get(run.job_id)) == [(other, 1, Split.TRAIN)]


def test_a_running_training_shows_its_progress(world: World):
    submit_two(world)
    run, claim = start(world)
    job_renew(claim=claim, progress=0.25, message="epoch 1 of 4")
    assert Job.objects.get(pk=run.job_id, kind=JobKind.TRAIN).progress == 0.25
