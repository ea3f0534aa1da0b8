"""Which outlines people find in an image that they open, and the sentence that says why not all."""

from __future__ import annotations

from dataclasses import dataclass

from labeling.ladder import POOR_PRECISION
from labeling.models import Image, Presegmentation, Project
from labeling.score_tally import ScoreTally
from labeling.selectors.cells import predicting_version
from labeling.selectors.proposals import cells_kept_back, proposals_open
from labeling.selectors.training import known_precision
from labeling.uncertainty import TOO_UNSURE

BLIND = (
    "This image is held out to judge models by, so it is labelled without seeing a model's outlines. "
    "Your boxes still become masks."
)
SWITCHED_OFF = "Outlines are switched off in this project; what the model found is kept as a proposal."
TOO_OFTEN_WRONG = (
    "Only {share:.0%} of the cells that {name} found {where} were right. Mending them would cost more than drawing, so "
    "what it finds is kept as a proposal."
)
MOSTLY_MENDED = (
    "Of the cells that {name} found {where}, {staying:.0%} could stay as they were and {wrong:.0%} were wrong. Mending "
    "them would cost more than drawing, so what it finds is kept as a proposal."
)
FAINT = (
    "Cells with a score under {score:.2f} are kept as a proposal: of those that {name} found {where}, more were wrong "
    "than could stay."
)
UNSURE = (
    "{name} is unsure of what it found here. That is kept as a proposal, until labelled images show how right the "
    "model is."
)
WHERE_MEASURED, WHERE_SUBMITTED = "on held-out images", "in the images labelled so far"
KEPT_BACK = "{cells} outlines are not shown, because of their scores: more of these are wrong than can stay."
ONE_KEPT_BACK = "1 outline is not shown, because of its score: more of these are wrong than can stay."
EARLIER = "Outlines were hidden when this image was segmented; what the model found is kept as a proposal."


@dataclass(frozen=True, slots=True)
class PresegmentationView:
    """``mode`` is the project's setting. What follows from it now: outlines are shown from the score ``shown_from`` on
    (None: none are), and the ``reason`` says why none or not all. Images in which the model is more uncertain than
    ``unsure_above`` show none (None: nothing follows from that)."""

    mode: str
    shown_from: float | None
    reason: str
    unsure_above: float | None = None

    @property
    def shown(self) -> bool:
        return self.shown_from is not None

    @property
    def rule(self) -> tuple[float | None, float | None]:
        """What decides which cells an image shows."""
        return self.shown_from, self.unsure_above

    def shown_from_in(self, image: Image) -> float | None:
        """The lowest score whose cells are shown in this image; None: none are."""
        unsure = self.unsure_above is not None and (image.uncertainty or 0.0) > self.unsure_above
        return None if unsure else self.shown_from


def presegmentation(project: Project) -> PresegmentationView:
    """How the project stands, with its active version."""
    mode = Presegmentation(project.presegmentation)
    if mode == Presegmentation.NEVER:
        return PresegmentationView(mode.value, None, SWITCHED_OFF)
    if mode == Presegmentation.ALWAYS:
        return PresegmentationView(mode.value, 0.0, "")
    return _as_measured(project, mode)


def _as_measured(project: Project, mode: Presegmentation) -> PresegmentationView:
    """By what is known of the active version; while that is little, by how sure it is of an image."""
    name = _model_name(project)
    where = WHERE_SUBMITTED if project.active_precision is None else WHERE_MEASURED
    tally = ScoreTally.from_rows(project.score_tally)
    from_score = project.shown_from
    precision = tally.above(from_score).precision if from_score else known_precision(project)
    if precision is not None and precision < POOR_PRECISION:
        words = TOO_OFTEN_WRONG.format(share=precision, name=name, where=where)
        return PresegmentationView(mode.value, None, words)
    if from_score is None:
        staying = tally.staying.total() / max(1, tally.found.total())
        shares = {"staying": staying, "wrong": 1 - tally.precision}
        return PresegmentationView(mode.value, None, MOSTLY_MENDED.format(name=name, where=where, **shares))
    reason = FAINT.format(score=from_score, name=name, where=where) if from_score else ""
    unsure_above = TOO_UNSURE if known_precision(project) is None else None
    return PresegmentationView(mode.value, from_score, reason, unsure_above)


def _model_name(project: Project) -> str:
    return project.active_version.name if project.active_version else "the model"


def hidden_reason(image: Image) -> str:
    """Why the image does not show all that a model found in it; empty where that is not so."""
    if image.blind:
        return BLIND
    if not proposals_open(image.pk):
        return ""
    if predicting_version(image.pk, image.revision) is None:
        view = presegmentation(image.project)
        if not view.shown:
            return view.reason
        unsure = view.shown_from_in(image) is None
        return UNSURE.format(name=_model_name(image.project)) if unsure else EARLIER
    cells = cells_kept_back(image.pk)
    return ONE_KEPT_BACK if cells == 1 else KEPT_BACK.format(cells=cells) if cells else ""
