"""Figures of the loop: corrections, held-out images, and what a run reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Manager, Q, QuerySet, Sum
from django.utils import timezone

from labeling.gate import MINIMUM_IMAGES
from labeling.ladder import Rung
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
    VersionStatus,
)
from labeling.models.job import OPEN
from labeling.score_tally import TELLING_FROM_CELLS, ScoreTally

REPLAY_SHARE = 0.25
SEEDS = (0,)
IMPORTED_AT_MOST = 3  # measured in one run: each costs as much as the active version


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
    """Held-out images: all, those submitted, and ``deciding``: independent ones among these that have cells and were
    labelled without seeing outlines, of which the gate needs ``needed``."""

    images: int
    submitted: int
    deciding: int
    needed: int = MINIMUM_IMAGES

    @property
    def suffices(self) -> bool:
        return self.deciding >= self.needed


def last_run(project: Project) -> TrainingRun | None:
    """The run that started last, whatever became of it."""
    return _light(project.runs).order_by("-created_at").first()


def last_learning_run(project: Project) -> TrainingRun | None:
    """The run that last learned from the corrections, or is about to: a failed or cancelled one used none up."""
    return _light(project.runs).exclude(decision=RunDecision.FAILED).order_by("-created_at").first()


def open_run(project: Project) -> TrainingRun | None:
    """The run that is queued or running."""
    return _light(project.runs).filter(job__in=project.jobs.filter(OPEN)).first()


def latest_submissions(project: Project, until: datetime | None = None) -> QuerySet[Submission]:
    """The newest submission of each image, as of ``until``."""
    submissions = Submission.objects.filter(image__project=project, at__lte=until or timezone.now())
    newest = submissions.order_by("image_id", "-revision").distinct("image_id").values("pk")
    return Submission.objects.filter(pk__in=newest)


def corrected_cells(project: Project) -> int:
    """Cells that people had to mend in the images that train."""
    return sum(_corrected_by_image(project, None).values())


def corrections_since(project: Project, since: datetime | None) -> int:
    """The same since then. An image that is submitted again counts by what the new submission adds."""
    now = _corrected_by_image(project, None)
    before = _corrected_by_image(project, since) if since else {}
    return sum(max(0, count - before.get(image_id, 0)) for image_id, count in now.items())


def outcome_counts(project: Project) -> OutcomeCounts:
    """Outcomes of the latest submission of each image, but for those that people labelled without seeing outlines."""
    sums = (
        latest_submissions(project)
        .filter(model_version__isnull=False)
        .aggregate(
            untouched=Sum("untouched", default=0),
            reshaped=Sum("reshaped", default=0),
            missed=Sum("missed", default=0),
            false=Sum("false_cells", default=0),
        )
    )
    return OutcomeCounts(**sums)


def outcome_counts_by_version(project: Project) -> dict[UUID | None, OutcomeCounts]:
    """The same by the version that had proposed the cells."""
    outcomes = CellOutcome.objects.filter(submission__in=latest_submissions(project))
    kinds = {kind.value: Count("id", filter=Q(kind=kind)) for kind in OutcomeKind}
    rows = outcomes.order_by().values_list("model_version_id").annotate(**kinds)
    return {version: OutcomeCounts(**dict(zip(kinds, counts, strict=True))) for version, *counts in rows}


def evidence(project: Project) -> Evidence:
    """How much the gate has to go by."""
    held_out = project.images.filter(split=Split.HELD_OUT)
    submitted = held_out.filter(status=ImageStatus.SUBMITTED)
    telling = submitted.filter(blind=True, cell_count__gt=0)
    return Evidence(
        images=held_out.count(),
        submitted=submitted.count(),
        deciding=telling.values("group_key").distinct().count(),
    )


def held_out_figures(project: Project, version: ModelVersion) -> dict[str, Any]:
    """The version's figures (`gate.summary`) as a run of this project last measured them on held-out images, as the
    active version's, an imported one's or a candidate's; empty if none did."""
    measured = Q(compared_with=version) | Q(evaluation__imported__has_key=str(version.pk))
    runs = project.runs.filter(measured, finished_at__isnull=False, evaluation__images__gt=0)
    seen = runs.order_by("-finished_at").values_list("evaluation__active", "evaluation__imported").first()
    if seen is None:
        is_candidate = version.run_id is not None and version.project_id == project.pk
        return version.metrics if is_candidate else {}
    active, imported = seen
    return imported[str(version.pk)]["candidate"] if str(version.pk) in (imported or {}) else active


def known_precision(project: Project) -> float | None:
    """The active version's, as a run last measured it on held-out images; until one has, by what people made of what
    it found. None if neither says anything yet."""
    if project.active_precision is not None:
        return project.active_precision
    tally = ScoreTally.from_rows(project.score_tally)
    return tally.precision if tally.telling else None


def measured_precision(figures: Mapping[str, Any]) -> float | None:
    """Precision of a gate's summary; None if so few cells were found that it says nothing."""
    return float(figures["precision"]) if figures.get("found", 0) >= TELLING_FROM_CELLS else None


def versions_of(project: Project) -> QuerySet[ModelVersion]:
    """The project's own versions, newest first, and the bases that it has used."""
    own = Q(project=project) | Q(active_in=project) | Q(pending_in=project)
    used = own | Q(tuned__project=project) | Q(promotions__project=project)
    ids = ModelVersion.objects.filter(used).order_by().values("pk")  # DISTINCT would compare all their JSON
    return ModelVersion.objects.filter(pk__in=ids).order_by("-created_at")


def run_snapshot(project: Project) -> list[dict[str, Any]]:
    """The submitted images that a run started now would read, each at its revision."""
    submitted = project.images.filter(status=ImageStatus.SUBMITTED).order_by("created_at", "id")
    return [
        {"image": str(pk), "revision": revision, "split": split}
        for pk, revision, split in submitted.values_list("pk", "revision", "split")
    ]


def training_images_with_cells(project: Project) -> int:
    """Submitted images of the training split that hold accepted cells."""
    submitted = project.images.filter(status=ImageStatus.SUBMITTED, split=Split.TRAIN)
    return submitted.filter(cell_count__gt=0).count()


def settings_for(project: Project, rungs: Sequence[Rung]) -> dict[str, Any]:
    """What a run started now is told to do; plain JSON, kept with the run."""
    earlier = last_learning_run(project)
    return {
        "rungs": [int(rung) for rung in rungs],
        "deep": project.deep,
        "replay_share": REPLAY_SHARE,
        "earlier_images": [entry["image"] for entry in earlier.snapshot] if earlier else [],
        "seeds": list(SEEDS),
        "imported": [str(pk) for pk in _imported(project).values_list("pk", flat=True)],
    }


def run_settings(run: TrainingRun) -> dict[str, Any]:
    """What the run's worker needs to know.

    ``rungs``: numbers of the ladder's rungs to try, lowest first. ``deep``: whether an admin allows the trunk.
    ``replay_share``: the least share of training that goes to ``earlier_images`` (ids that an earlier run learned
    from), against forgetting. ``seeds``: one a repetition. ``imported``: ids of versions that somebody imported, which
    are measured beside the candidates.
    """
    default = {"rungs": [int(Rung.NECK)], "deep": False, "replay_share": REPLAY_SHARE, "earlier_images": []}
    return default | {"seeds": list(SEEDS), "imported": []} | run.config.get("settings", {})


def run_imported(run: TrainingRun) -> list[ModelVersion]:
    """The imported versions that the run measures beside its candidates."""
    return list(ModelVersion.objects.filter(pk__in=run_settings(run)["imported"]).order_by("number"))


def imported_evaluations(project: Project) -> dict[str, dict[str, Any]]:
    """What the gate saw of each imported version (by id) in the latest run that measured it."""
    runs = project.runs.filter(evaluation__has_key="imported").exclude(evaluation__imported={})
    found: dict[str, dict[str, Any]] = {}
    for imported in runs.order_by("finished_at").values_list("evaluation__imported", flat=True):
        found |= imported
    return found


def _imported(project: Project) -> QuerySet[ModelVersion]:
    """The latest imported versions that do not serve."""
    imported = project.versions.filter(status=VersionStatus.IMPORTED).exclude(active_in=project)
    return imported.order_by("-number")[:IMPORTED_AT_MOST]


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


def _light(runs: Manager[TrainingRun]) -> QuerySet[TrainingRun]:
    """Without what grows with the project's images; it is read when somebody asks for it."""
    return runs.defer("snapshot", "config", "evaluation", "curve")


def _corrected_by_image(project: Project, until: datetime | None) -> dict[UUID, int]:
    """Of images that train: held-out ones never do."""
    corrected = F("reshaped") + F("missed") + F("false_cells")
    training = latest_submissions(project, until).filter(image__split=Split.TRAIN)
    return dict(training.values_list("image_id", corrected))
