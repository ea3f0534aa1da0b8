"""The state of a project's loop, put together for the model page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from labeling.ladder import FROM_CELLS, Rung
from labeling.models import JobKind, ModelVersion, Project, Promotion, VersionStatus
from labeling.models.job import OPEN
from labeling.selectors.presegmentation import PresegmentationView, presegmentation
from labeling.selectors.proof import Proof, proof
from labeling.selectors.readiness import Readiness, readiness
from labeling.selectors.runs import HELD_OUT_IMAGES, IMAGES, RunView, run_views
from labeling.selectors.training import (
    Evidence,
    OutcomeCounts,
    corrected_cells,
    corrections_since,
    evidence,
    imported_evaluations,
    last_learning_run,
    outcome_counts,
    outcome_counts_by_version,
    versions_of,
)

VERSION_STATES = (
    "active", "pending", "earlier", "base", "imported", "candidate", "rejected", "not_enough_evidence", "failed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version with its part in this project. ``state`` is one of VERSION_STATES; ``images`` were there when it was
    made, ``held_out_images`` among them.

    ``reason`` and ``evaluation`` are what the gate said and saw: of an imported version, in the latest run.
    """

    version: ModelVersion
    images: int
    held_out_images: int
    is_base: bool
    state: str
    reason: str
    evaluation: dict[str, Any]
    outcomes: OutcomeCounts
    activated_at: datetime | None
    activated_by: str | None


@dataclass(frozen=True, slots=True)
class PendingView:
    """A version that waits for the features of ``total`` images, of which ``done`` are there."""

    version: ModelVersion
    since: datetime
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class LoopView:
    project: Project
    active: VersionView | None
    versions: Sequence[VersionView]
    pending: PendingView | None
    corrections: dict[str, Any]
    held_out: Evidence
    readiness: Readiness
    presegmentation: PresegmentationView
    run: RunView | None
    runs: Sequence[RunView]
    proof: Proof


def loop_view(project: Project) -> LoopView:
    """Versions, corrections, evidence, runs and figures of the project."""
    by_version = outcome_counts_by_version(project)
    versions, runs = _version_views(project, by_version), run_views(project)
    return LoopView(
        project=project,
        active=next((view for view in versions if view.state == "active"), None),
        versions=versions,
        pending=_pending(project),
        corrections=_corrections(project, versions),
        held_out=evidence(project),
        readiness=readiness(project),
        presegmentation=presegmentation(project),
        run=next((view for view in runs if view.run.job.is_open), None),
        runs=runs,
        proof=proof(project),
    )


def version_view(project: Project, version: ModelVersion) -> VersionView:
    """One version as the project sees it."""
    return next(view for view in _version_views(project, {}) if view.version.pk == version.pk)


def _pending(project: Project) -> PendingView | None:
    if project.pending_version is None or project.pending_since is None:
        return None
    asked = project.jobs.filter(
        kind=JobKind.EMBED,
        payload__version=str(project.pending_version_id),
        created_at__gte=project.pending_since,
    )
    return PendingView(
        project.pending_version, project.pending_since, asked.exclude(OPEN).count(), asked.count()
    )


def _version_views(project: Project, by_version: dict[UUID | None, OutcomeCounts]) -> list[VersionView]:
    promotions = project.promotions.select_related("by").order_by("at")
    latest: dict[UUID, Promotion] = {promotion.version_id: promotion for promotion in promotions}
    imported = imported_evaluations(project)
    versions = versions_of(project).defer("snapshot")
    return [
        VersionView(
            version=version,
            images=version.images,
            held_out_images=version.held_out_images,
            is_base=version.project_id is None,
            state=_state(project, version, latest),
            **_judged(version, imported),
            outcomes=by_version.get(version.pk, OutcomeCounts()),
            activated_at=latest[version.pk].at if version.pk in latest else None,
            activated_by=_name(latest.get(version.pk)),
        )
        for version in versions.annotate(images=IMAGES, held_out_images=HELD_OUT_IMAGES)
    ]


def _judged(version: ModelVersion, imported: dict[str, dict[str, Any]]) -> dict[str, Any]:
    measured = imported.get(str(version.pk))
    if measured is None:
        return {"reason": version.reason, "evaluation": version.evaluation}
    return {"reason": measured["gate"]["reason"], "evaluation": measured}


def _state(project: Project, version: ModelVersion, latest: dict[UUID, Promotion]) -> str:
    if version.pk == project.active_version_id:
        return "active"
    if version.pk == project.pending_version_id:
        return "pending"
    if version.pk in latest:
        return "earlier"
    # It waited for its features, and another one was chosen meanwhile.
    waited = version.status == VersionStatus.PROMOTED
    return VersionStatus.CANDIDATE.value if waited else VersionStatus(version.status).value


def _name(promotion: Promotion | None) -> str | None:
    if promotion is None or promotion.by is None:
        return None
    return promotion.by.get_full_name() or promotion.by.get_username()


def _corrections(project: Project, versions: Sequence[VersionView]) -> dict[str, Any]:
    run = last_learning_run(project)
    by_version = [
        {"version": view.version.pk, "name": view.version.name, **asdict(view.outcomes)}
        for view in versions
        if view.outcomes != OutcomeCounts()
    ]
    return {
        **asdict(outcome_counts(project)),
        "corrected": corrected_cells(project),
        "needed": FROM_CELLS[Rung.NECK],
        "since_last_run": corrections_since(project, run.created_at if run else None),
        "threshold": project.correction_threshold,
        "by_version": by_version,
    }
