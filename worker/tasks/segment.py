"""Queue `segment`: from pixels to cells. Niced, on one thread of a CPU, and polite between steps.

Versions are compared here, too: that takes seconds, for which no box must wait.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from celery import shared_task

from labeling.errors import Conflict
from labeling.selectors.jobs import job_get, job_image
from labeling.selectors.model_versions import version_for_job, version_spec
from labeling.services.jobs import job_succeed
from labeling.services.segmentation import segmentation_store
from labeling.uncertainty import Evidence
from worker.cached_features import FeaturesAddress
from worker.cellsam.channels import ImageError
from worker.tasks.inputs import features_address, open_image
from worker.tasks.lease import Lease, run_job
from worker.tasks.process import background_engine, version_weights
from worker.tasks.replies import reply
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


@shared_task(name="segment.compare_versions")
def compare_versions(request: dict[str, Any]) -> None:
    """Reply (see `labeling.dispatch`) with all cells that each of the request's versions finds on cached features.

    It stops between two tiles once nobody waits any more.
    """
    reply(request, _compared)


def _segment(lease: Lease) -> None:
    job = job_get(lease.job_id)
    image, version = job_image(job), job.project.active_version
    if version is None:
        raise Conflict(NO_MODEL, code="no_model")
    found = background_engine().segment(
        features_address(image, version),
        lambda: open_image(image, pause=lease.pause),
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
        features_address(image, version),
        lambda: open_image(image, pause=lease.pause),
        version_weights(version_spec(version)),
        progress=lease.step,
    )
    job_succeed(claim=lease.claim)


def _compared(request: dict[str, Any]) -> dict[str, Any]:
    """In the order of the request's versions, each `{"id", "features_key", "version": its spec}`."""
    started = time.perf_counter()
    sets = [_label_set(asked, request) for asked in request["versions"]]
    return {"label_sets": sets, "model_ms": round((time.perf_counter() - started) * 1000, 1)}


def _label_set(asked: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    version, deadline = version_weights(asked["version"]), request["deadline"]
    address = FeaturesAddress(asked["features_key"], int(request["height"]), int(request["width"]))
    found = background_engine().labels(address, version, should_stop=lambda: time.time() >= deadline)
    cells = [
        {"box": list(mask.box), "rle": list(mask.rle), "score": float(score)}
        for mask, score in zip(found.masks, found.scores, strict=True)
    ]
    return {"version": asked["id"], "cells": cells}
