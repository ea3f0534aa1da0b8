"""Queue `segment`: from pixels to cells. Niced, on one thread of a CPU, and polite between steps."""

from __future__ import annotations

import numpy as np
from celery import shared_task

from labeling.errors import Conflict
from labeling.selectors.features import features_key
from labeling.selectors.jobs import job_get, job_image
from labeling.selectors.model_versions import version_for_job, version_spec
from labeling.services.jobs import job_succeed
from labeling.services.segmentation import segmentation_store
from labeling.uncertainty import Evidence
from worker.cellsam.channels import ImageError
from worker.tasks.inputs import read_image
from worker.tasks.lease import Lease, run_job
from worker.tasks.process import background_engine, version_weights
from worker.weights import WeightsError

REFUSED = (ImageError, WeightsError)
NO_MODEL = "This project has no active model. Activate one on its model page, then segment the image again."


@shared_task(name="segment.segment_image")
def segment_image(job_id: str) -> None:
    """Find the cells of the job's image with its project's active version."""
    run_job(job_id, _segment, refused=REFUSED)


@shared_task(name="segment.embed_image")
def embed_image(job_id: str) -> None:
    """Compute the features of the job's image again, for boxes and training."""
    run_job(job_id, _embed, refused=REFUSED)


def _segment(lease: Lease) -> None:
    job = job_get(lease.job_id)
    image, version = job_image(job), job.project.active_version
    if version is None:
        raise Conflict(NO_MODEL, code="no_model")
    found = background_engine().segment(
        features_key(image=image, version=version),
        lambda: read_image(image),
        version_weights(version_spec(version)),
        progress=lease.step,
    )
    segmentation_store(
        claim=lease.claim,
        image_id=image.pk,
        version_id=version.pk,
        masks=found.masks,
        scores=[float(score) for score in found.scores],
        evidence=Evidence(np.concatenate([found.scores, found.doubted]), version.threshold, found.ious),
    )


def _embed(lease: Lease) -> None:
    job = job_get(lease.job_id)
    image, version = job_image(job), version_for_job(job)
    if version is None:
        raise Conflict(NO_MODEL, code="no_model")
    background_engine().embed(
        features_key(image=image, version=version),
        lambda: read_image(image),
        version_weights(version_spec(version)),
        progress=lease.step,
    )
    job_succeed(claim=lease.claim)
