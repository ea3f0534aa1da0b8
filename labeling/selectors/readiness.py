"""Whether a project has enough to train on, by hand and by itself, in words."""

from __future__ import annotations

from dataclasses import dataclass

from labeling.ladder import FROM_CELLS, Rung, rungs_to_try
from labeling.models import ImageStatus, Project, Split
from labeling.selectors.training import corrected_cells, known_precision, training_images_with_cells

MINIMUM_IMAGES = 2  # one to learn from, one to stop early by
NO_MODEL = "No model is registered: run manage.py register_model."
NO_IMAGE = "No image of the training part is submitted yet. Submit some, then train."
NO_CELLS = "The submitted images hold no cells to learn from."
ONE_IMAGE = (
    "Only 1 submitted image of the training part has cells. Training needs 2: one to learn from and one to tell when "
    "to stop."
)


@dataclass(frozen=True, slots=True)
class Readiness:
    """``reason`` says why nobody can start a run, ``automatic_reason`` why none starts by itself; else they are empty.

    ``rungs`` are those that a run would try.
    """

    reason: str
    automatic_reason: str
    rungs: tuple[Rung, ...]

    @property
    def can_start(self) -> bool:
        return not self.reason


def readiness(project: Project) -> Readiness:
    """How the project stands: by hand two images with cells are enough, for the lowest rung."""
    corrected = corrected_cells(project)
    rungs = rungs_to_try(corrected_cells=corrected, deep=project.deep, precision=known_precision(project))
    reason = _reason(project)
    few = f"{corrected} cells of the training part were corrected; by itself a run starts from {FROM_CELLS[Rung.NECK]}."
    return Readiness(reason, reason or ("" if rungs else few), rungs or (Rung.NECK,))


def _reason(project: Project) -> str:
    if project.active_version_id is None:
        return NO_MODEL
    if not project.images.filter(status=ImageStatus.SUBMITTED, split=Split.TRAIN).exists():
        return NO_IMAGE
    images = training_images_with_cells(project)
    if images < MINIMUM_IMAGES:
        return ONE_IMAGE if images else NO_CELLS
    return ""
