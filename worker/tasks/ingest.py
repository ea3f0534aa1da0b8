"""Queue `ingest`: uploads become pyramids and thumbnails, and the clock's errands are run. No model, no torch."""

from __future__ import annotations

import tempfile
from pathlib import Path
from uuid import UUID

from celery import shared_task
from django.conf import settings

from labeling.pixels import PixelError, read_pixels
from labeling.pyramid import write_pyramid
from labeling.selectors.jobs import job_get, job_image
from labeling.services.activation import pending_prepare, pending_versions_prepare
from labeling.services.images import image_ingested
from labeling.services.jobs import jobs_sweep
from labeling.services.leases import presences_sweep
from labeling.services.redecoding import redecodes_due_enqueue, redecodes_enqueue
from labeling.services.training import training_start_scheduled, trainings_due_start
from labeling.thumbnails import thumbnail
from worker.tasks.lease import Lease, run_job

DECODED, DRAWN = 0.4, 0.9  # of the progress


@shared_task(name="ingest.ingest_image")
def ingest_image(job_id: str) -> None:
    """Decode the job's image, make its pyramid and thumbnail, and send it on."""
    run_job(job_id, _ingest, refused=(PixelError,))


@shared_task(name="ingest.sweep_jobs")
def sweep_jobs() -> None:
    """Send again what was lost; get on with what waits for it; forget tabs that are long gone."""
    jobs_sweep()
    pending_versions_prepare()
    redecodes_due_enqueue()
    presences_sweep()


@shared_task(name="ingest.start_due_trainings")
def start_due_trainings() -> None:
    """Start the runs whose threshold is reached."""
    trainings_due_start()


@shared_task(name="ingest.start_scheduled_training")
def start_scheduled_training(project_id: str) -> None:
    """Start the project's run whose time has come."""
    training_start_scheduled(project_id=UUID(project_id))


@shared_task(name="ingest.redecode_images")
def redecode_images(project_id: str) -> None:
    """Have the images that nobody has opened decoded by the version that serves now."""
    redecodes_enqueue(project_id=UUID(project_id))


@shared_task(name="ingest.prepare_version")
def prepare_version(project_id: str) -> None:
    """Get on with the version that waits for its features."""
    pending_prepare(project_id=UUID(project_id))


def _ingest(lease: Lease) -> None:
    image = job_image(job_get(lease.job_id))
    with image.file.open("rb") as file:
        pixels = read_pixels(
            file,
            image.name,
            frame=image.frame,
            max_pixels=settings.MAX_IMAGE_PIXELS,
            max_bytes=settings.MAX_UPLOAD_MB * 2**20,
        )
    lease.say(DECODED)
    with tempfile.TemporaryDirectory() as folder:
        pyramid = Path(folder) / "pyramid.tif"  # a large image's would not fit in memory beside its pixels
        write_pyramid(pixels.array, pyramid)
        lease.say(DRAWN)
        image_ingested(
            claim=lease.claim,
            image_id=image.pk,
            info=pixels.info,
            pyramid=pyramid,
            thumbnail=thumbnail(pixels.array, channel_names=pixels.channel_names),
        )
