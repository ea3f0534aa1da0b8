"""Turns of the loop: starting a run, judging its result, and changing the active version."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from labeling import dispatch, live
from labeling.errors import Conflict, Invalid, NotFound
from labeling.gate import Decision, ImageScore, decide, summary
from labeling.models import (
    Job,
    JobKind,
    ModelVersion,
    Project,
    Promotion,
    RunDecision,
    RunReason,
    Split,
    TrainingRun,
    VersionStatus,
)
from labeling.selectors.model_versions import base_of
from labeling.selectors.training import (
    cells_to_train_on,
    corrections_since,
    last_learning_run,
    last_run,
    open_run,
    run_snapshot,
)
from labeling.services.jobs import Claim, job_cancel, job_create, job_fail, job_finish
from labeling.services.model_versions import version_add


@transaction.atomic
def training_start(*, project_id: UUID, reason: RunReason | str, started_by: Any = None) -> TrainingRun:
    """Start a run on all submitted images as they are now.

    Raises Conflict if one is open, Invalid (not_enough_data) with the reason if there is nothing to learn from.
    """
    project = _locked(project_id)
    if open_run(project) is not None:
        raise Conflict("This project is being trained already.", code="training_is_open")
    active = project.active_version
    if active is None:
        raise Invalid("No model is registered: run manage.py register_model.", code="not_enough_data")
    snapshot = run_snapshot(project)
    _check_snapshot(project, snapshot)
    run = TrainingRun(
        project=project,
        job=job_create(kind=JobKind.TRAIN, project=project),
        base=base_of(active),
        compared_with=active,
        reason=reason,
        started_by=started_by,
        snapshot=snapshot,
        corrected_cells=corrections_since(project, _started(last_learning_run(project))),
    )
    run.save(force_insert=True)
    live.publish(project.pk, "model", {"run": str(run.pk)})
    return run


def trainings_due_start() -> int:
    """Start a run in each project whose threshold is reached or whose schedule is due. Returns how many."""
    return sum(
        _start_if_due(project_id) for project_id in Project.objects.values_list("pk", flat=True).iterator()
    )


@transaction.atomic
def training_complete(
    *,
    claim: Claim,
    run_id: UUID,
    neck_weights: bytes,
    neck_hash: str,
    threshold: float,
    active_scores: Sequence[ImageScore],
    candidate_scores: Sequence[ImageScore],
    curve: list[Any],
    config: dict[str, Any],
) -> Decision:
    """Close the job, store the candidate, let the gate decide, and promote it if the gate says so: one transaction.

    ``neck_weights`` is a safetensors file. The scores are of the version that was active when the run started and of
    the candidate, on the run's held-out images. Raises ClaimLost.
    """
    job_finish(claim=claim)
    run = TrainingRun.objects.select_for_update(of=("self",)).select_related("base").get(pk=run_id)
    run.project = _locked(run.project_id)
    decision = _judge(run, active_scores, candidate_scores)
    run.candidate = version_add(
        run=run, neck_weights=neck_weights, neck_hash=neck_hash, threshold=threshold,
        metrics=summary(candidate_scores) | {"images": len(candidate_scores)},
    )  # fmt: skip
    run.evaluation = _evaluation(decision, active_scores, candidate_scores)
    run.curve, run.config = curve, config
    _decide(run, RunDecision(decision.outcome), decision.reason)
    if decision.outcome == "promoted":
        _activate(run.project, run.candidate, by=None, run=run)
    return decision


def training_failed(*, claim: Claim, run_id: UUID, reason: str, retry: bool = False) -> None:
    """End a run that cannot give a model; ``reason`` is a sentence for people. Raises ClaimLost."""
    job_fail(claim=claim, error=reason, retry=retry)


@transaction.atomic
def training_cancel(*, run: TrainingRun) -> Job:
    """Ask a run to end."""
    return job_cancel(job_id=run.job_id)


@transaction.atomic
def version_activate(
    *, project_id: UUID, version_id: UUID, by: Any = None, run: TrainingRun | None = None
) -> Project:
    """Make a version the active one: promoted by hand, or rolled back to. The gate's decision stays on record.

    Raises NotFound unless the version is the project's own or a base.
    """
    project = _locked(project_id)
    version = ModelVersion.objects.filter(pk=version_id).first()
    if version is None or version.project_id not in (None, project.pk):
        raise NotFound("The model version")
    if version.status == VersionStatus.FAILED:
        raise Invalid(f"{version.name} has no usable weights.")
    if project.active_version_id != version.pk:
        _activate(project, version, by=by, run=run)
    return project


def schedule_check(schedule: str) -> None:
    """Raise Invalid unless ``schedule`` is empty or a crontab line of five fields."""
    if not schedule:
        return
    try:
        dispatch.crontab_parse(schedule)
    except ValueError as error:
        raise Invalid(str(error)) from error


def _locked(project_id: UUID) -> Project:
    project = Project.objects.select_for_update().filter(pk=project_id).first()
    if project is None:
        raise NotFound("The project")
    return project


def _check_snapshot(project: Project, snapshot: list[dict[str, Any]]) -> None:
    if not any(entry["split"] == Split.TRAIN for entry in snapshot):
        raise Invalid(
            "No image of the training part is submitted yet. Submit some, then train.", code="not_enough_data"
        )
    if cells_to_train_on(project) == 0:
        raise Invalid("The submitted images hold no cells to learn from.", code="not_enough_data")


@transaction.atomic
def _start_if_due(project_id: UUID) -> bool:
    project = Project.objects.select_for_update(skip_locked=True).filter(pk=project_id).first()
    if project is None or open_run(project) is not None:
        return False
    reason = _due(project, timezone.now())
    if reason is None:
        return False
    try:
        with transaction.atomic():
            training_start(project_id=project.pk, reason=reason)
    except Invalid:  # nothing to learn from yet: asked again when the threshold or the schedule comes round
        return False
    return True


def _due(project: Project, now: datetime) -> RunReason | None:
    """Why a run should start, if so. A schedule that came due is used up, even if there is nothing new to learn."""
    corrected = corrections_since(project, _started(last_learning_run(project)))
    # After a run that failed, something must have changed, or it would fail again every few minutes.
    if corrected >= project.correction_threshold and corrections_since(project, _started(last_run(project))):
        return RunReason.THRESHOLD
    if not project.train_schedule or not _schedule_is_due(project, now):
        return None
    project.schedule_since = now
    project.save(update_fields=["schedule_since"])
    return RunReason.SCHEDULE if corrected else None


def _schedule_is_due(project: Project, now: datetime) -> bool:
    since = project.schedule_since or project.created_at
    return dispatch.crontab_is_due(project.train_schedule, since=since, now=now)


def _started(run: TrainingRun | None) -> datetime | None:
    return run.created_at if run is not None else None


def _judge(run: TrainingRun, active: Sequence[ImageScore], candidate: Sequence[ImageScore]) -> Decision:
    """The gate's decision; without a promotion if the active version changed while the run was under way."""
    decision = decide(active, candidate)
    if decision.outcome == "promoted" and run.project.active_version_id != run.compared_with_id:
        return Decision(
            "rejected",
            f"The active version changed during the run, so this was compared with an earlier one. {decision.reason}",
            decision.f1,
            decision.miou,
            decision.groups,
        )
    return decision


def _evaluation(
    decision: Decision, active: Sequence[ImageScore], candidate: Sequence[ImageScore]
) -> dict[str, Any]:
    return {
        "active": summary(active),
        "candidate": summary(candidate),
        "images": len(active),
        "gate": decision.to_json(),
        "per_image": {
            "active": [score.to_json() for score in active],
            "candidate": [score.to_json() for score in candidate],
        },
    }


def _decide(run: TrainingRun, outcome: RunDecision, reason: str) -> None:
    run.decision, run.decision_reason, run.finished_at = outcome, reason, timezone.now()
    run.save()
    if run.candidate is not None:
        run.candidate.status = VersionStatus(outcome.value)
        run.candidate.save(update_fields=["status"])
    live.publish(run.project_id, "model", {"run": str(run.pk), "decision": outcome.value})


def _activate(project: Project, version: ModelVersion, *, by: Any, run: TrainingRun | None) -> None:
    project.active_version = version
    project.save(update_fields=["active_version"])
    Promotion.objects.create(project=project, version=version, by=by, run=run)
    live.publish(project.pk, "model", {"active": str(version.pk)})
