"""Queue `train`: from corrections to candidates, measured on images that no version trained on. Niced and polite.

Each rung of the ladder that the run may try gives a candidate. All start from the base, on cached features; features
that were evicted are computed again and counted. The gate decides in `labeling.services.training`, and one transaction
stores the candidates with what follows.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from celery import shared_task

from labeling.gate import ImageScore
from labeling.ladder import Rung
from labeling.services.training import TrainedCandidate, training_complete
from worker.cellsam import Predictor
from worker.cellsam.channels import ImageError
from worker.cellsam.checkpoint import tuned_bytes
from worker.cellsam.tuning import Courtesy, Ladder, TunedModel, TuningError
from worker.tasks.corrections import Corrections
from worker.tasks.lease import Lease, run_job
from worker.tasks.process import background_engine
from worker.tasks.unfinished import unfinished_folder
from worker.weights import WeightsError

READ, TUNED = 0.15, 0.75  # of the progress: all images are read, all rungs are tuned
WORDS = {
    Rung.NECK: "Learning outlines from {cells} cells",
    Rung.FINDER: "Learning to find cells, from {cells} of them",
    Rung.TRUNK: "Learning to see images of this kind, from {cells} cells; this takes long",
}


@shared_task(name="train.tune_model")
def tune_model(job_id: str) -> None:
    """Tune the project's model on its submitted images and hand the candidates to the gate."""
    run_job(job_id, _tune, refused=(TuningError, ImageError, WeightsError))


def _tune(lease: Lease) -> None:
    engine, corrections = background_engine(), Corrections(lease)
    run = corrections.run
    with unfinished_folder(str(run.pk)) as folder:
        lease.say(0.0, "Reading the corrected images")
        samples = corrections.training()
        ladder = engine.ladder(
            corrections.base.base, samples, corrections.config, folder=folder, run=str(run.pk)
        )
        tuned, given_up = _climbed(ladder, corrections.rungs, lease)
        lease.say(
            TUNED, f"Comparing with the active model on {corrections.count('held_out')} held-out images"
        )
        stored = [corrections.active, *corrections.imported.values()]
        (active, *imported), scores = _measured(
            [engine.predictor(version) for version in stored], tuned, corrections, lease
        )
        training_complete(
            claim=lease.claim,
            run_id=run.pk,
            active_scores=active,
            candidates=[_candidate(model, its, ladder) for model, its in zip(tuned, scores, strict=True)],
            imported=dict(zip(corrections.imported, imported, strict=True)),
            pause=lease.pause,
            config=ladder.figures
            | {"images": len(samples), "features_recomputed": corrections.recomputed, "given_up": given_up},
        )


def _climbed(
    ladder: Ladder, rungs: tuple[Rung, ...], lease: Lease
) -> tuple[list[TunedModel], dict[str, str]]:
    """What each rung gave, and why one gave nothing. A rung that fails takes none of those below it along.

    Raises TuningError if none gave anything.
    """
    cells = ladder.figures["training_cells"]
    tuned: list[TunedModel] = []
    for index, rung in enumerate(rungs):
        start, end = (READ + (TUNED - READ) * step / len(rungs) for step in (index, index + 1))
        lease.say(start, WORDS[rung].format(cells=cells))
        try:
            tuned.append(ladder.climb(rung, Courtesy(progress=lease.part(start, end), pause=lease.pause)))
        except TuningError as error:
            if not tuned:
                raise
            return tuned, {rung.name.lower(): str(error)}
    return tuned, {}


def _measured(
    stored: list[Predictor], tuned: list[TunedModel], corrections: Corrections, lease: Lease
) -> tuple[list[list[ImageScore]], list[list[ImageScore]]]:
    """Scores on the held-out images: of versions that are there already, and of what was tuned."""
    predictors = [*stored, *(model.predictor for model in tuned)]
    scores = background_engine().score(predictors, corrections.held_out(), pause=lease.pause)
    return scores[: len(stored)], scores[len(stored) :]


def _candidate(model: TunedModel, scores: list[ImageScore], ladder: Ladder) -> TrainedCandidate:
    predictor = model.predictor
    return TrainedCandidate(
        rung=model.rung,
        weights=tuned_bytes(model.file()),
        trunk_hash=predictor.trunk_hash,
        neck_hash=predictor.neck_hash,
        finder_hash=predictor.finder_hash,
        threshold=model.threshold,
        scores=scores,
        curve=[asdict(point) for point in model.learned.curve],
        config=_config(model, ladder),
    )


def _config(model: TunedModel, ladder: Ladder) -> dict[str, Any]:
    """How it was made, and what the images held back from the training said of it."""
    return asdict(ladder.config) | {
        "best_step": model.learned.best_step,
        "quality": model.quality,
        "quality_before": model.learned.before,
        "quality_after": model.learned.after,
        "validation_f1": model.f1,
    }
