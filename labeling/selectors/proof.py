"""Whether the loop pays: actions, seconds and untouched cells of each image, by the version whose cells people saw."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from labeling.models import Project, Submission
from labeling.selectors.labour import PAUSE_S
from labeling.selectors.training import latest_submissions

POINTS_SHOWN = 500
BY_HAND = "by hand"
RULE = (
    f"Actions are cells that people added, deleted or reshaped; cells are those that they accepted. Seconds are the "
    f"gaps between one person's consecutive edits of an image, and between the last of them and the submission, each "
    f"counted as {PAUSE_S:.0f} s at most."
)
COLUMNS = (
    "submitted_at", "image", "version", "split", "blind", "cells", "untouched", "reshaped", "missed", "false",
    "actions_per_cell", "seconds", "seconds_per_cell", "share_untouched", "version_f1",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Work:
    """What people did to some cells: accepted ones and false ones, in ``seconds`` (None: not known)."""

    untouched: int = 0
    reshaped: int = 0
    missed: int = 0
    false: int = 0
    seconds: float | None = 0.0

    def __add__(self, other: Work) -> Work:
        known = self.seconds is not None and other.seconds is not None
        return Work(
            self.untouched + other.untouched,
            self.reshaped + other.reshaped,
            self.missed + other.missed,
            self.false + other.false,
            (self.seconds or 0) + (other.seconds or 0) if known else None,
        )

    @property
    def cells(self) -> int:
        return self.untouched + self.reshaped + self.missed

    @property
    def actions_per_cell(self) -> float | None:
        return (self.missed + self.false + self.reshaped) / self.cells if self.cells else None

    @property
    def seconds_per_cell(self) -> float | None:
        return self.seconds / self.cells if self.cells and self.seconds is not None else None

    @property
    def share_untouched(self) -> float | None:
        return self.untouched / self.cells if self.cells else None


@dataclass(frozen=True, slots=True)
class Point:
    """One submitted image. ``version`` is None where people drew on the bare image."""

    at: datetime
    image: UUID
    name: str
    split: str
    blind: bool
    version: UUID | None
    work: Work


@dataclass(frozen=True, slots=True)
class VersionProof:
    """All images that people labelled with one version's cells before them; ``version`` None: with none."""

    version: UUID | None
    name: str
    images: int
    work: Work
    f1: float | None


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """A finished run's F1 on held-out images: of the version that was active, and of the candidate."""

    at: datetime
    version: UUID
    name: str
    active: float
    candidate: float
    images: int
    decision: str


@dataclass(frozen=True, slots=True)
class _Run:
    """The same with the version that was active, and what the gate saw of each imported one by its id."""

    pk: UUID
    compared_with: UUID
    imported: dict[str, Any] | None
    shown: MeasuredRun


@dataclass(frozen=True, slots=True)
class Proof:
    rule: str
    pause_s: float
    versions: Sequence[VersionProof]
    points: Sequence[Point]
    f1: Sequence[MeasuredRun]


def proof(project: Project) -> Proof:
    """The project's figures: by version, one point a submitted image (the latest ones), one a finished run."""
    points, runs = list(_points(project)), _measured_runs(project)
    versions = list(_by_version(project, points, _f1(project, runs)))
    return Proof(RULE, PAUSE_S, versions, points[-POINTS_SHOWN:], [run.shown for run in runs])


def proof_csv(project: Project) -> str:
    """One row of COLUMNS for each submitted image, oldest first."""
    names, f1 = _names(project), f1_by_version(project)
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(COLUMNS)
    for point in _points(project):
        work = point.work
        rows.writerow(
            [
                point.at.isoformat(), _cell(point.name), names.get(point.version, BY_HAND), point.split,
                int(point.blind), work.cells, work.untouched, work.reshaped, work.missed, work.false,
                work.actions_per_cell, work.seconds, work.seconds_per_cell, work.share_untouched,
                f1.get(point.version) if point.version else None,
            ]
        )  # fmt: skip
    return file.getvalue()


def f1_by_version(project: Project) -> dict[UUID, float]:
    """F1 on held-out images, as the project's latest run measured it, of each version that one measured."""
    return _f1(project, _measured_runs(project))


def _f1(project: Project, runs: Iterable[_Run]) -> dict[UUID, float]:
    candidates: defaultdict[UUID | None, dict[UUID, float]] = defaultdict(dict)
    measured = project.versions.filter(run__isnull=False, metrics__images__gt=0)
    for run_id, pk, f1 in measured.values_list("run_id", "pk", "metrics__f1"):
        candidates[run_id][pk] = f1
    found: dict[UUID, float] = {}
    for run in runs:
        found[run.compared_with] = run.shown.active
        found |= candidates[run.pk]
        for version, seen in (run.imported or {}).items():
            found[UUID(version)] = seen["candidate"]["f1"]
    return found


def _points(project: Project) -> Iterator[Point]:
    fields = (
        "at", "image_id", "image__name", "image__split", "image__blind", "model_version_id", "untouched", "reshaped",
        "missed", "false_cells", "seconds",
    )  # fmt: skip
    for at, image, name, split, blind, version, *work in (
        latest_submissions(project).order_by("at", "id").values_list(*fields)
    ):
        yield Point(at, image, name, split, blind, version, Work(*work))


def _by_version(project: Project, points: Iterable[Point], f1: dict[UUID, float]) -> Iterator[VersionProof]:
    """In the order in which people first met them."""
    members: defaultdict[UUID | None, list[Work]] = defaultdict(list)
    for point in points:
        members[point.version].append(point.work)
    names = _names(project)
    for version, works in members.items():
        yield VersionProof(
            version,
            names.get(version, BY_HAND),
            len(works),
            sum(works, Work()),
            f1.get(version) if version else None,
        )


def _measured_runs(project: Project) -> list[_Run]:
    runs = project.runs.filter(finished_at__isnull=False, candidate__isnull=False, evaluation__images__gt=0)
    fields = (
        "pk", "compared_with_id", "evaluation__imported", "finished_at", "candidate_id", "candidate__name",
        "evaluation__active__f1", "evaluation__candidate__f1", "evaluation__images", "decision",
    )  # fmt: skip
    # Single keys: what the gate saw of each image is kept beside them.
    rows = runs.order_by("finished_at").values_list(*fields)
    return [_Run(pk, version, imported, MeasuredRun(*shown)) for pk, version, imported, *shown in rows]


def _names(project: Project) -> dict[UUID | None, str]:
    shown = Submission.objects.filter(image__project=project, model_version__isnull=False)
    return dict(shown.values_list("model_version_id", "model_version__name").distinct())


def _cell(text: str) -> str:
    """A name as a spreadsheet may read it: one that begins like a formula is quoted."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
