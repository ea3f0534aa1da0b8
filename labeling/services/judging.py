"""A run's candidates before the gate: each judged against the active version, the best one taken, all stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage

from labeling.gate import Decision, ImageScore, decide, summary
from labeling.ladder import Judged, choose
from labeling.models import ModelVersion, TrainingRun, VersionStatus
from labeling.services.model_versions import TrainedCandidate, version_add

OVERTAKEN = "The active version changed during the run, so this was compared with an earlier one. {reason}"
NOT_TAKEN = (
    "Better than the active version, but not clearly better than rung {rung}, which changes less. {reason}"
)
OUTDONE = "Better than the active version, but rung {rung} is clearly better still. {reason}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate said of one candidate. ``evaluation`` and ``per_image`` are plain JSON."""

    candidate: TrainedCandidate
    decision: Decision
    metrics: dict[str, Any]
    evaluation: dict[str, Any]
    per_image: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run's candidates beside the version that was active when it started: what follows from the figures alone.

    ``decisions`` are those on the ``candidates``, ``imported`` what the gate says (`evaluation`) of imported versions,
    by id.
    """

    active: tuple[ImageScore, ...]
    candidates: tuple[TrainedCandidate, ...]
    decisions: tuple[Decision, ...]
    imported: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Judgement:
    """All verdicts, in the order of the candidates; ``index`` is the one that is taken.

    ``active`` are the active version's figures on the held-out images (`gate.summary`).
    """

    verdicts: tuple[Verdict, ...]
    index: int
    active: dict[str, Any]

    @property
    def taken(self) -> Verdict:
        return self.verdicts[self.index]


def compared(
    active: Sequence[ImageScore],
    candidates: Sequence[TrainedCandidate],
    imported: Mapping[UUID, Sequence[ImageScore]],
    pause: Callable[[], None],
) -> Comparison:
    """Takes seconds where held-out images hold thousands of cells, so nothing may be locked meanwhile.

    ``pause`` is called before each comparison.
    """

    def decided(scores: Sequence[ImageScore]) -> Decision:
        pause()
        return decide(active, scores)

    return Comparison(
        tuple(active),
        tuple(candidates),
        tuple(decided(candidate.scores) for candidate in candidates),
        {str(id_): evaluation(active, scores, decided(scores)) for id_, scores in imported.items()},
    )


def judged(run: TrainingRun, found: Comparison) -> Judgement:
    """The gate's decision on each candidate, and the lowest rung that is best. Raises ValueError without candidates.

    Nothing is promoted if the active version changed while the run was under way. ``run.project`` is locked.
    """
    active, candidates = found.active, found.candidates
    index = choose([_judged(*pair) for pair in zip(candidates, found.decisions, strict=True)])
    overtaken = (
        run.project.active_version_id != run.compared_with_id or run.project.pending_version_id is not None
    )
    final = [
        _overtaken(decision) if overtaken else _beside(decision, candidate, candidates[index])
        for candidate, decision in zip(candidates, found.decisions, strict=True)
    ]
    verdicts = tuple(
        Verdict(
            candidate,
            decision,
            metrics=summary(_deciding(candidate.scores)) | {"images": len(candidate.scores)},
            evaluation=evaluation(active, candidate.scores, decision),
            per_image={"active": _per_image(active), "candidate": _per_image(candidate.scores)},
        )
        for candidate, decision in zip(candidates, final, strict=True)
    )
    return Judgement(verdicts, index, summary(_deciding(active)))


def versions_store(run: TrainingRun, found: Judgement, stored: list[str]) -> list[ModelVersion]:
    """A version for each candidate, numbered from the lowest rung on. Names of the files go into ``stored`` at once,
    so that whoever rolls back can delete them."""
    versions = []
    for verdict in found.verdicts:
        version = version_add(
            run=run,
            candidate=verdict.candidate,
            status=VersionStatus(verdict.decision.outcome),
            reason=verdict.decision.reason,
            metrics=verdict.metrics,
            evaluation=verdict.evaluation,
        )
        stored.append(str(version.weights.name))
        versions.append(version)
    return versions


def version_files_delete(names: Iterable[str]) -> None:
    """Delete files of versions that were not stored in the end."""
    for name in names:
        default_storage.delete(name)


def _judged(candidate: TrainedCandidate, decision: Decision) -> Judged:
    f1 = decision.changes.get("f1")
    figure = f1.candidate if f1 is not None else summary(_deciding(candidate.scores))["f1"]
    return Judged(candidate.rung, decision.outcome == "promoted", figure)


def _overtaken(decision: Decision) -> Decision:
    if decision.outcome != "promoted":
        return decision
    return replace(decision, outcome="rejected", reason=OVERTAKEN.format(reason=decision.reason))


def _beside(decision: Decision, candidate: TrainedCandidate, taken: TrainedCandidate) -> Decision:
    """One version is promoted: what would be good enough too says why it was not taken."""
    if decision.outcome != "promoted" or candidate is taken:
        return decision
    words = NOT_TAKEN if candidate.rung > taken.rung else OUTDONE
    return replace(
        decision, outcome="rejected", reason=words.format(rung=int(taken.rung), reason=decision.reason)
    )


def _deciding(scores: Sequence[ImageScore]) -> list[ImageScore]:
    """The blind images, by which the gate decides; all held-out ones while there is none."""
    return [score for score in scores if score.blind] or list(scores)


def evaluation(
    active: Sequence[ImageScore], candidate: Sequence[ImageScore], decision: Decision
) -> dict[str, Any]:
    """Figures of the deciding images, of all held-out ones beside them, and the gate's word; plain JSON."""
    return {
        "active": summary(_deciding(active)),
        "candidate": summary(_deciding(candidate)),
        "images": len(_deciding(active)),
        "all": {"active": summary(active), "candidate": summary(candidate), "images": len(active)},
        "gate": decision.to_json(),
    }


def _per_image(scores: Sequence[ImageScore]) -> list[dict[str, Any]]:
    """Without the single detections: they are many, and nobody asks for them again."""
    return [
        {name: value for name, value in score.to_json().items() if name not in ("detections", "by_score")}
        for score in scores
    ]
