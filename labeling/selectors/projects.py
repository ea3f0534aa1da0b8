"""Projects with their figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

from django.db.models import Count, Sum

from labeling.models import Image, ImageStatus, Membership, Project, Role
from labeling.selectors.access import User, projects_of

# What each status counts as on the project's page.
SHOWN_AS = {status: status for status in ImageStatus.values} | {ImageStatus.INGESTING.value: "queued"}
COUNTED = ("queued", "needs_channels", "segmenting", "ready", "in_progress", "submitted", "failed")


@dataclass(slots=True)
class ProjectFigures:
    """Images by status, and cells, of one project."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("total", *COUNTED), 0))
    cells: int = 0


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A project as one of its members sees it."""

    project: Project
    role: Role
    figures: ProjectFigures


def project_views(user: User) -> list[ProjectView]:
    """The user's projects, newest first, in three queries whatever their number."""
    rows = (
        Membership.objects.filter(project__in=projects_of(user), user=cast(int, user.pk))
        .select_related("project", "project__active_version")
        .order_by("-project__created_at", "project_id")
    )
    memberships = list(rows)
    figures = project_figures([row.project_id for row in memberships])
    return [ProjectView(row.project, Role(row.role), figures[row.project_id]) for row in memberships]


def project_view(project: Project, role: Role) -> ProjectView:
    """The project with its figures."""
    return ProjectView(project, role, project_figures([project.pk])[project.pk])


def project_figures(project_ids: Iterable[UUID]) -> dict[UUID, ProjectFigures]:
    """Figures of each project."""
    figures = {project_id: ProjectFigures() for project_id in project_ids}
    rows = (
        Image.objects.filter(project_id__in=list(figures))
        .order_by()
        .values_list("project_id", "status")
        .annotate(images=Count("id"), all_cells=Sum("cell_count"))
    )
    for project_id, status, images, cells in rows:
        figures[project_id].counts["total"] += images
        figures[project_id].counts[SHOWN_AS[status]] += images
        figures[project_id].cells += cells
    return figures
