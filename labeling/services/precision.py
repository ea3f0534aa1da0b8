"""What is known of the active version's precision, and whether people see its outlines because of it.

Before a run has measured it on held-out images, a project learns it from its first submissions: a model that has never
seen the like should not be shown in image after image until somebody trains it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from labeling.models import Project
from labeling.selectors.presegmentation import presegmentation
from labeling.services.activation import redecode_request


@dataclass(frozen=True, slots=True)
class Observed:
    """Of the cells that a version had found in a submitted image, shown or not, so many were ``right``: a mask IoU
    above 0.6 with a cell that was accepted, as the gate counts."""

    version: UUID
    found: int
    right: int


def precision_measured(project: Project, precision: float | None) -> None:
    """A run measured it; None: on too few cells. The project is locked."""
    if precision is None:
        return
    with _outlines_follow(project):
        project.active_precision = precision
        project.save(update_fields=["active_precision"])


def precision_observed(*, project_id: UUID, observed: Observed) -> None:
    """An image was submitted for the first time. Counts until a run has measured the same version."""
    # No key changes, so that whoever adds an image or a cell meanwhile need not wait.
    projects = Project.objects.select_for_update(no_key=True, of=("self",)).select_related("active_version")
    project = projects.get(pk=project_id)
    if project.active_version_id != observed.version or project.active_precision is not None:
        return
    with _outlines_follow(project):
        project.observed_found += observed.found
        project.observed_right += observed.right
        project.save(update_fields=["observed_found", "observed_right"])


@contextmanager
def _outlines_follow(project: Project) -> Iterator[None]:
    """People may be better off without the version's cells afterwards, or with them again."""
    shown = presegmentation(project).shown
    yield
    if presegmentation(project).shown != shown:
        redecode_request(project)
