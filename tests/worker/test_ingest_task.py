"""An upload becomes something that people can look at, by a process that never loads the model."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
from PIL import Image as PillowImage
from tifffile import imwrite

from labeling.models import ImageStatus, Job, JobKind, JobStatus
from labeling.pyramid import read_full
from labeling.selectors.images import frames_of
from labeling.services.images import image_create
from tests.factories import upload
from tests.integration.bad_files import float_nan_tiff
from tests.scenes import nuclei
from tests.worker.conftest import Lab, fresh, open_job
from worker.tasks.ingest import ingest_image, start_due_trainings, sweep_jobs


def test_it_works(lab: Lab) -> None:
    scene = nuclei(1, side=600, cells=10)
    image = lab.ingested(scene)
    assert (image.status, image.width, image.height, image.dtype) == (ImageStatus.QUEUED, 600, 600, "uint16")
    with image.pyramid.open("rb") as file:
        assert (read_full(file)[0] == scene.image).all()
    with image.thumbnail.open("rb") as file:
        assert PillowImage.open(file).size == (384, 384)
    assert open_job(image, JobKind.SEGMENT).status == JobStatus.QUEUED


def test_a_file_with_bad_pixels_fails_with_its_name_and_the_reason(lab: Lab) -> None:
    bad = float_nan_tiff()
    image = image_create(
        project=lab.project, uploaded_by=lab.alice, name=bad.name, content=upload(bad.name, bad.content)
    )
    job = open_job(image, JobKind.INGEST)
    ingest_image(str(job.pk))
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert fresh(image).status == ImageStatus.FAILED
    assert bad.name in fresh(image).error
    assert "NaN" in fresh(image).error
    assert not Job.objects.filter(image=image, kind=JobKind.SEGMENT).exists()


def test_each_frame_of_a_time_lapse_is_read_on_its_own(lab: Lab) -> None:
    frames = np.random.default_rng(0).integers(0, 65535, (3, 40, 50)).astype(np.uint16)
    file = io.BytesIO()
    imwrite(file, frames, ome=True, metadata={"axes": "TYX"})
    first = image_create(
        project=lab.project,
        uploaded_by=lab.alice,
        name="movie.tif",
        content=upload("movie.tif", file.getvalue()),
    )
    assert first.series is not None
    for image, pixels in zip(frames_of(first.series), frames, strict=True):
        ingest_image(str(open_job(image, JobKind.INGEST).pk))
        image = fresh(image)
        assert (image.status, image.width, image.height) == (ImageStatus.QUEUED, 50, 40)
        with image.pyramid.open("rb") as pyramid:
            assert (read_full(pyramid)[0] == pixels).all()


def test_the_clock_s_errands_run(lab: Lab) -> None:
    sweep_jobs()
    start_due_trainings()
    assert not Job.objects.filter(kind=JobKind.TRAIN).exists()


def test_its_process_never_loads_torch() -> None:
    code = (
        "import django, sys; django.setup(); import worker.tasks.ingest; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'worker.engine', 'worker.cellsam')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
