"""Training runs as people see them. What names each image of a run stays in the database: it grows with the project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, Func, IntegerField, JSONField, Prefetch, QuerySet

from labeling.models import ModelVersion, Project, TrainingRun
from labeling.selectors.model_versions import fields_of_its_run

RUNS_SHOWN = 20

# Of a run's or a version's snapshot: how many images it names, and how many held-out ones among them.
IMAGES = Func(F("snapshot"), function="jsonb_array_length", output_field=IntegerField())
HELD_OUT_IMAGES = Func(
    F("snapshot"),
    template="""jsonb_array_length(jsonb_path_query_array(%(expressions)s, '$[*] ? (@.split == "held_out")'))""",
    output_field=IntegerField(),
)
_FIGURES = Func(
    F("evaluation"), template="(%(expressions)s - 'per_image' - 'imported')", output_field=JSONField()
)


@dataclass(frozen=True, slots=True)
class RunView:
    """A run, how many images it read, and in ``evaluation`` what the gate saw of its candidate; empty before."""

    run: TrainingRun
    images: int
    held_out_images: int
    evaluation: dict[str, Any]


def run_views(project: Project) -> list[RunView]:
    """The project's latest runs, newest first."""
    return _views(project.runs.order_by("-created_at")[:RUNS_SHOWN])


def run_view(run_id: UUID) -> RunView:
    """One run that exists."""
    (view,) = _views(TrainingRun.objects.filter(pk=run_id))
    return view


def _views(runs: QuerySet[TrainingRun]) -> list[RunView]:
    candidates = ModelVersion.objects.defer("config", "curve", "snapshot", "evaluation")
    shown = runs.select_related("job", "candidate", "compared_with", "started_by").defer(
        "snapshot", "evaluation", *fields_of_its_run("candidate"), *fields_of_its_run("compared_with")
    )
    counted = shown.annotate(images=IMAGES, held_out_images=HELD_OUT_IMAGES, figures=_FIGURES)
    return [
        RunView(run, run.images, run.held_out_images, run.figures)
        for run in counted.prefetch_related(Prefetch("candidates", candidates))
    ]
