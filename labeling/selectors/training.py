"""Figures of the loop: corrections, held-out images, and what a run reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from labeling.gate import MINIMUM_IMAGES
from labeling.models import (
    CellOutcome,
    Image,
    ImageStatus,
    ModelVersion,
    OutcomeKind,
    Project,
    RunDecision,
    Split,
    Submission,
    TrainingRun,
)
from labeling.models.job import OPEN

RUNS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class OutcomeCounts:
    """Cells by what people did to them, over the latest submission of each image."""

    untouched: int = 0
    reshaped: int = 0
    missed: int = 0
    false: int = 0

    @property
    def corrected(self) -> int:
        return self.reshaped + self.missed + self.false


@dataclass(frozen=True, slots=True)
class Evidence:
    """Held-out images: all, those submitted (the gate counts these), and how many the gate needs."""

    images: int
    submitted: int
    needed: int = MINIMUM_IMAGES


def last_run(project: Project) -> TrainingRun | None:
    """The run that started last, whatever became of it."""
    return project.runs.order_by("-created_at").first()


def last_learning_run(project: Project) -> TrainingRun | None:
    """The run that last learned from the corrections, or is about to: a failed or cancelled one used none up."""
    return project.runs.exclude(decision=RunDecision.FAILED).order_by("-created_at").first()


def open_run(project: Project) -> TrainingRun | None:
    """The run that is queued or running."""
    return runs_of(project).filter(job__in=project.jobs.filter(OPEN)).first()


def runs_of(project: Project) -> QuerySet[TrainingRun]:
    """The project's runs with what is shown of them, newest first."""
    return project.runs.select_related("job", "candidate", "compared_with", "started_by").order_by(
        "-created_at"
    )


def corrections_since(project: Project, since: datetime | None) -> int:
    """Cells corrected since then. An image that is submitted again counts by what the new submission adds."""
    now = _corrected_by_image(project, None)
    before = _corrected_by_image(project, since) if since else {}
    return sum(max(0, count - before.get(image_id, 0)) for image_id, count in now.items())


def outcome_counts(project: Project) -> OutcomeCounts:
    """Outcomes of the latest submission of each image."""
    sums = _latest_submissions(project).aggregate(
        untouched=Sum("untouched", default=0),
        reshaped=Sum("reshaped", default=0),
        missed=Sum("missed", default=0),
        false=Sum("false_cells", default=0),
    )
    return OutcomeCounts(**sums)


def outcome_counts_by_version(project: Project) -> dict[UUID | None, OutcomeCounts]:
    """The same by the version that had proposed the cells."""
    outcomes = CellOutcome.objects.filter(submission__in=_latest_submissions(project))
    kinds = {kind.value: Count("id", filter=Q(kind=kind)) for kind in OutcomeKind}
    rows = outcomes.order_by().values_list("model_version_id").annotate(**kinds)
    return {version: OutcomeCounts(**dict(zip(kinds, counts, strict=True))) for version, *counts in rows}


def evidence(project: Project) -> Evidence:
    """How much the gate has to go by."""
    held_out = project.images.filter(split=Split.HELD_OUT)
    submitted = held_out.filter(status=ImageStatus.SUBMITTED)
    return Evidence(images=held_out.count(), submitted=submitted.count())


def versions_of(project: Project) -> QuerySet[ModelVersion]:
    """The project's own versions, newest first, and the bases that it has used."""
    own = (
        Q(project=project) | Q(active_in=project) | Q(tuned__project=project) | Q(promotions__project=project)
    )
    return ModelVersion.objects.filter(own).select_related("parent").distinct().order_by("-created_at")


def run_snapshot(project: Project) -> list[dict[str, Any]]:
    """The submitted images that a run started now would read, each at its revision."""
    submitted = project.images.filter(status=ImageStatus.SUBMITTED).order_by("created_at", "id")
    return [
        {"image": str(pk), "revision": revision, "split": split}
        for pk, revision, split in submitted.values_list("pk", "revision", "split")
    ]


def cells_to_train_on(project: Project) -> int:
    """Accepted cells in submitted images of the training split."""
    images = project.images.filter(status=ImageStatus.SUBMITTED, split=Split.TRAIN)
    return int(images.aggregate(cells=Sum("cell_count", default=0))["cells"])


def run_get(job_id: UUID | str) -> TrainingRun:
    """The run of a job, with its versions. Raises TrainingRun.DoesNotExist."""
    runs = TrainingRun.objects.select_related("project", "base", "compared_with", "compared_with__parent")
    return runs.get(job_id=job_id)


def run_images(run: TrainingRun) -> list[tuple[Image, int, Split]]:
    """(image with its project, revision, split) of the run's snapshot; images deleted since are left out."""
    images = Image.objects.select_related("project").in_bulk([UUID(entry["image"]) for entry in run.snapshot])
    return [
        (images[UUID(entry["image"])], entry["revision"], Split(entry["split"]))
        for entry in run.snapshot
        if UUID(entry["image"]) in images
    ]


def _latest_submissions(project: Project, until: datetime | None = None) -> QuerySet[Submission]:
    submissions = Submission.objects.filter(image__project=project, at__lte=until or timezone.now())
    newest = submissions.order_by("image_id", "-revision").distinct("image_id").values("pk")
    return Submission.objects.filter(pk__in=newest)


def _corrected_by_image(project: Project, until: datetime | None) -> dict[UUID, int]:
    corrected = F("reshaped") + F("missed") + F("false_cells")
    return dict(_latest_submissions(project, until).values_list("image_id", corrected))
