"""The state of a project's loop, put together for the model page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from labeling.models import ModelVersion, Project, Promotion, TrainingRun, VersionStatus
from labeling.selectors.training import (
    RUNS_SHOWN,
    Evidence,
    OutcomeCounts,
    corrections_since,
    evidence,
    last_learning_run,
    open_run,
    outcome_counts,
    outcome_counts_by_version,
    runs_of,
    versions_of,
)

VERSION_STATES = ("active", "earlier", "base", "candidate", "rejected", "not_enough_evidence", "failed")


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version with its part in this project. ``state`` is one of VERSION_STATES."""

    version: ModelVersion
    is_base: bool
    state: str
    reason: str
    outcomes: OutcomeCounts
    activated_at: datetime | None
    activated_by: str | None


@dataclass(frozen=True, slots=True)
class LoopView:
    active: VersionView | None
    versions: Sequence[VersionView]
    corrections: dict[str, Any]
    held_out: Evidence
    run: TrainingRun | None
    runs: Sequence[TrainingRun]
    schedule: str


def loop_view(project: Project) -> LoopView:
    """Versions, corrections, evidence and runs of the project."""
    by_version = outcome_counts_by_version(project)
    versions = _version_views(project, by_version)
    return LoopView(
        active=next((view for view in versions if view.state == "active"), None),
        versions=versions,
        corrections=_corrections(project, versions),
        held_out=evidence(project),
        run=open_run(project),
        runs=list(runs_of(project)[:RUNS_SHOWN]),
        schedule=project.train_schedule,
    )


def _version_views(project: Project, by_version: dict[UUID | None, OutcomeCounts]) -> list[VersionView]:
    promotions = project.promotions.select_related("by").order_by("at")
    latest: dict[UUID, Promotion] = {promotion.version_id: promotion for promotion in promotions}
    reasons = dict(
        project.runs.filter(candidate__isnull=False).values_list("candidate_id", "decision_reason")
    )
    return [
        VersionView(
            version=version,
            is_base=version.project_id is None,
            state=_state(project, version, latest),
            reason=reasons.get(version.pk, ""),
            outcomes=by_version.get(version.pk, OutcomeCounts()),
            activated_at=latest[version.pk].at if version.pk in latest else None,
            activated_by=_name(latest.get(version.pk)),
        )
        for version in versions_of(project)
    ]


def _state(project: Project, version: ModelVersion, latest: dict[UUID, Promotion]) -> str:
    if version.pk == project.active_version_id:
        return "active"
    return "earlier" if version.pk in latest else VersionStatus(version.status).value


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
        "since_last_run": corrections_since(project, run.created_at if run else None),
        "threshold": project.correction_threshold,
        "by_version": by_version,
    }
