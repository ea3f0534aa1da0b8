"""What is known of the active version's cells, and which of them people are shown because of it.

Before a run has measured it on held-out images, a project learns it from its first submissions: a model that has never
seen the like should not be shown in image after image until somebody trains it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from labeling.models import Image, Project
from labeling.score_tally import ScoreTally, worth_showing_from
from labeling.selectors.presegmentation import presegmentation
from labeling.selectors.training import measured_precision
from labeling.services.redecoding import redecode_request

OUTLINES = ("active_precision", "score_tally", "shown_from")  # the fields of a project that are kept here


@dataclass(frozen=True, slots=True)
class Observed:
    """What a version had found in a submitted image, shown or not, beside the cells that were accepted."""

    version: UUID
    tally: ScoreTally


def outlines_set(project: Project, figures: Mapping[str, Any], *, now: float | None = 0.0) -> None:
    """Set what the active version's figures (`gate.summary`) tell, nothing where it found too few cells. Not saved.

    ``now``: the score from which on its cells are shown so far.
    """
    project.active_precision = measured_precision(figures)
    known = project.active_precision is not None
    project.score_tally = figures.get("by_score", []) if known else []
    _decide(project, now)


def outlines_measured(project: Project, figures: Mapping[str, Any]) -> None:
    """A run measured the locked project's active version on held-out images; on too few cells, nothing changes."""
    if measured_precision(figures) is None:
        return
    with outlines_follow(project):
        outlines_set(project, figures, now=project.shown_from)
        project.save(update_fields=OUTLINES)


def outlines_lock(*, image_id: UUID) -> None:
    """Lock the project of an image that may be submitted for the first time: before the image's own row."""
    # No key changes, so that whoever adds a cell or a job meanwhile need not wait.
    projects = Project.objects.select_for_update(no_key=True)
    projects.filter(pk__in=Image.objects.filter(pk=image_id).values("project_id")).first()


def outlines_observed(*, project_id: UUID, observed: Observed) -> None:
    """An image of the locked project was submitted for the first time. Counts until a run measured the same version."""
    project = Project.objects.select_related("active_version").get(pk=project_id)
    if project.active_version_id != observed.version or project.active_precision is not None:
        return
    with outlines_follow(project):
        project.score_tally = (ScoreTally.from_rows(project.score_tally) + observed.tally).rows()
        _decide(project, project.shown_from)
        project.save(update_fields=["score_tally", "shown_from"])


@contextmanager
def outlines_follow(project: Project) -> Iterator[None]:
    """Images that nobody has opened are decoded again if people are to see other cells afterwards."""
    before = presegmentation(project).rule
    yield
    if presegmentation(project).rule != before:
        redecode_request(project)


def _decide(project: Project, now: float | None) -> None:
    project.shown_from = worth_showing_from(ScoreTally.from_rows(project.score_tally), now=now)
