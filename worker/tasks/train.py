"""Queue `train`: from corrections to a candidate, measured on images that no version trained on. Niced and polite.

The neck is tuned from the base's weights on cached features; features that were evicted are computed again and counted.
The gate decides in `labeling.services.training`, in the transaction that stores the candidate.
"""

from __future__ import annotations

from celery import shared_task

from labeling.services.training import training_complete
from worker.cellsam import ImageError
from worker.cellsam.finetune import TuningConfig, TuningError
from worker.tasks.corrections import Corrections
from worker.tasks.lease import Lease, run_job
from worker.tasks.process import background_engine
from worker.weights import WeightsError

READ, TUNED = 0.15, 0.75  # of the progress: all images are read, the neck is tuned


@shared_task(name="train.tune_model")
def tune_model(job_id: str) -> None:
    """Tune a neck on the project's submitted images and hand it to the gate."""
    run_job(job_id, _tune, refused=(TuningError, ImageError, WeightsError))


def _tune(lease: Lease) -> None:
    engine, corrections = background_engine(), Corrections(lease)
    lease.say(0.0, "Reading the corrected images")
    samples = corrections.training()
    lease.say(READ, f"Training on {sum(len(sample.cells) for sample in samples)} cells")
    tuned = engine.tune(
        corrections.base.base, samples, TuningConfig(), progress=lease.part(READ, TUNED), pause=lease.pause
    )
    lease.say(TUNED, f"Comparing with the active model on {corrections.count('held_out')} held-out images")
    active_scores, candidate_scores = engine.score(
        [engine.predictor(corrections.active), tuned.predictor], corrections.held_out(), pause=lease.pause
    )
    training_complete(
        claim=lease.claim,
        run_id=corrections.run.pk,
        neck_weights=tuned.weights,
        neck_hash=tuned.neck_hash,
        threshold=tuned.threshold,
        active_scores=active_scores,
        candidate_scores=candidate_scores,
        curve=tuned.curve,
        config=tuned.config | {"images": len(samples), "features_recomputed": corrections.recomputed},
    )
