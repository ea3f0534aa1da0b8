"""Turns of the loop: starting a run, and what becomes of its candidates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from labeling import live
from labeling.errors import Conflict, Invalid
from labeling.gate import Decision, ImageScore
from labeling.ladder import Rung
from labeling.models import Job, JobKind, Project, RunDecision, RunReason, TrainingRun
from labeling.selectors.model_versions import base_of
from labeling.selectors.readiness import Readiness, readiness
from labeling.selectors.training import (
    corrections_since,
    evidence,
    last_learning_run,
    last_run,
    open_run,
    run_snapshot,
    settings_for,
)
from labeling.services.activation import activate, project_locked
from labeling.services.jobs import Claim, job_cancel, job_create, job_fail, job_finish
from labeling.services.judging import Comparison, compared, judged, version_files_delete, versions_store
from labeling.services.model_versions import TrainedCandidate as TrainedCandidate
from labeling.services.outlines import outlines_measured


@transaction.atomic
def training_start(*, project_id: UUID, reason: RunReason | str, started_by: Any = None) -> TrainingRun:
    """Start a run on all submitted images as they are now.

    By hand it tries all rungs that are worth it; by itself, while the gate has too little evidence to promote
    anything, the lowest alone. Raises Conflict if one is open, Invalid (not_enough_data) with the reason if there is
    too little to learn from: by itself a run starts from 50 corrected cells on, by hand from two images with cells.
    """
    project = project_locked(project_id)
    if open_run(project) is not None:
        raise Conflict("This project is being trained already.", code="training_is_open")
    ready, active = readiness(project), project.active_version
    refusal = ready.reason if reason == RunReason.MANUAL else ready.automatic_reason
    if refusal or active is None:
        raise Invalid(refusal, code="not_enough_data")
    run = TrainingRun(
        project=project,
        job=job_create(kind=JobKind.TRAIN, project=project),
        base=base_of(active),
        compared_with=active,
        reason=reason,
        started_by=started_by,
        snapshot=run_snapshot(project),
        config={"settings": settings_for(project, _rungs(project, ready, reason))},
        corrected_cells=corrections_since(project, _started(last_learning_run(project))),
    )
    run.save(force_insert=True)
    live.publish(project.pk, "model", {"run": str(run.pk)})
    return run


def trainings_due_start() -> int:
    """Start a run in each project whose threshold of corrected cells is reached. Returns how many."""
    ids = Project.objects.values_list("pk", flat=True).iterator()
    return sum(_start_if(project_id, _threshold_reached, RunReason.THRESHOLD) for project_id in ids)


def training_start_scheduled(*, project_id: UUID) -> bool:
    """The schedule's time has come: start a run if something was corrected since the last. Returns whether."""
    return _start_if(project_id, _something_new, RunReason.SCHEDULE)


def training_complete(
    *,
    claim: Claim,
    run_id: UUID,
    active_scores: Sequence[ImageScore],
    candidates: Sequence[TrainedCandidate],
    config: dict[str, Any],
    imported: Mapping[UUID, Sequence[ImageScore]] | None = None,
    pause: Callable[[], None] = lambda: None,
) -> Decision:
    """Close the job, store all candidates, let the gate judge each, and promote the lowest rung that is best.

    One transaction: the project's version changes with all of it or not at all; the gate compares before, and
    calls ``pause`` between. The scores are of the version that was active when the run started, of each candidate and
    of the ``imported`` versions, on the run's held-out images. What the gate says of imported ones is kept with the
    run; they serve when somebody says so. Returns the decision on the candidate that was taken. Raises ClaimLost,
    ValueError without candidates, and whatever ``pause`` does.
    """
    comparison = compared(active_scores, candidates, imported or {}, pause)
    stored: list[str] = []
    try:
        return _complete(claim, run_id, comparison, config, stored)
    except BaseException:
        version_files_delete(stored)
        raise


def training_failed(*, claim: Claim, run_id: UUID, reason: str, retry: bool = False) -> None:
    """End a run that cannot give a model; ``reason`` is a sentence for people. Raises ClaimLost."""
    job_fail(claim=claim, error=reason, retry=retry)


@transaction.atomic
def training_cancel(*, run: TrainingRun) -> Job:
    """Ask a run to end."""
    return job_cancel(job_id=run.job_id)


@transaction.atomic
def _complete(
    claim: Claim, run_id: UUID, comparison: Comparison, config: dict[str, Any], stored: list[str]
) -> Decision:
    job_finish(claim=claim)
    run = TrainingRun.objects.select_for_update(of=("self",)).select_related("base").get(pk=run_id)
    run.project = project_locked(run.project_id)
    found = judged(run, comparison)
    versions = versions_store(run, found, stored)
    taken, run.candidate = found.taken, versions[found.index]
    run.evaluation = taken.evaluation | {"per_image": taken.per_image, "imported": comparison.imported}
    run.curve = taken.candidate.curve
    run.config |= config
    run.decision, run.decision_reason = RunDecision(taken.decision.outcome), taken.decision.reason
    run.finished_at = timezone.now()
    run.save()
    live.publish(run.project_id, "model", {"run": str(run.pk), "decision": taken.decision.outcome})
    if run.project.active_version_id == run.compared_with_id:
        outlines_measured(run.project, found.active)
    if taken.decision.outcome == "promoted":
        activate(run.project, run.candidate, run=run)
    return taken.decision


@transaction.atomic
def _start_if(project_id: UUID, is_due: Any, reason: RunReason) -> bool:
    # The threshold is asked for again soon, so it waits for nobody; the schedule's message comes once.
    projects = Project.objects.select_for_update(skip_locked=reason != RunReason.SCHEDULE)
    project = projects.filter(pk=project_id).first()
    if project is None or open_run(project) is not None or not is_due(project):
        return False
    try:
        with transaction.atomic():
            training_start(project_id=project.pk, reason=reason)
    except Invalid:
        # Too little to learn from yet: asked again when the threshold or the schedule comes round.
        return False
    return True


def _rungs(project: Project, ready: Readiness, reason: RunReason | str) -> tuple[Rung, ...]:
    return ready.rungs if reason == RunReason.MANUAL or evidence(project).suffices else ready.rungs[:1]


def _threshold_reached(project: Project) -> bool:
    corrected = corrections_since(project, _started(last_learning_run(project)))
    # After a run that failed, something must have changed, or it would fail again every few minutes.
    return corrected >= project.correction_threshold and bool(
        corrections_since(project, _started(last_run(project)))
    )


def _something_new(project: Project) -> bool:
    return corrections_since(project, _started(last_learning_run(project))) > 0


def _started(run: TrainingRun | None) -> datetime | None:
    return run.created_at if run is not None else None
