"""Whether people find outlines in an image that they open, and the sentence that says why not."""

from __future__ import annotations

from dataclasses import dataclass

from labeling.ladder import POOR_PRECISION
from labeling.models import Image, Presegmentation, Project
from labeling.selectors.cells import predicting_version
from labeling.selectors.proposals import proposals_open
from labeling.selectors.training import known_precision

BLIND = (
    "This image is held out to judge models by, so it is labelled without seeing a model's outlines. "
    "Your boxes still become masks."
)
SWITCHED_OFF = "Outlines are switched off in this project; what the model found is kept as a proposal."
TOO_OFTEN_WRONG = (
    "Only {share:.0%} of the cells that {name} finds on held-out images are right. Mending them would cost more than "
    "drawing, so what it found is kept as a proposal."
)
SEEMS_TOO_OFTEN_WRONG = (
    "Only {share:.0%} of the cells that {name} found in the images labelled so far were right. Mending them would cost "
    "more than drawing, so what it finds is kept as a proposal."
)
EARLIER = "Outlines were hidden when this image was segmented; what the model found is kept as a proposal."


@dataclass(frozen=True, slots=True)
class PresegmentationView:
    """``mode`` is the project's setting, ``shown`` what follows from it now, ``reason`` why nothing is shown."""

    mode: str
    shown: bool
    reason: str


def presegmentation(project: Project) -> PresegmentationView:
    """How the project stands, with its active version."""
    mode, precision = Presegmentation(project.presegmentation), known_precision(project)
    reason = ""
    if mode == Presegmentation.NEVER:
        reason = SWITCHED_OFF
    elif mode == Presegmentation.AUTO and precision is not None and precision < POOR_PRECISION:
        name = project.active_version.name if project.active_version else "the model"
        words = SEEMS_TOO_OFTEN_WRONG if project.active_precision is None else TOO_OFTEN_WRONG
        reason = words.format(share=precision, name=name)
    return PresegmentationView(mode.value, not reason, reason)


def hidden_reason(image: Image) -> str:
    """Why the image shows no outlines although a model has looked at it; empty where that is not so."""
    if image.blind:
        return BLIND
    if predicting_version(image.pk, image.revision) is not None or not proposals_open(image.pk):
        return ""
    return presegmentation(image.project).reason or EARLIER
