"""A project with the model that we ship, and images on their way through the real tasks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.conf import settings

from labeling.models import Image, Job, JobKind, ModelVersion, Project
from labeling.services.images import image_create
from labeling.services.model_versions import model_version_register
from labeling.services.projects import project_create
from tests.factories import make_user, upload
from tests.scenes import Scene
from worker.cellsam import Predictor, load
from worker.tasks.ingest import ingest_image
from worker.tasks.segment import segment_image
from worker.weights import VersionWeights, WeightFile


@dataclass(frozen=True, slots=True)
class Lab:
    """Alice and her project."""

    alice: Any
    project: Project
    base: ModelVersion

    def uploaded(self, scene: Scene, name: str = "image.tif") -> Image:
        """Uploaded, not looked at by any worker yet."""
        return image_create(
            project=self.project, uploaded_by=self.alice, name=name, content=upload(name, scene.tiff)
        )

    def ingested(self, scene: Scene, name: str = "image.tif") -> Image:
        image = self.uploaded(scene, name)
        ingest_image(str(open_job(image, JobKind.INGEST).pk))
        return fresh(image)

    def segmented(self, scene: Scene, name: str = "image.tif") -> Image:
        """All the way to cells."""
        image = self.ingested(scene, name)
        segment_image(str(open_job(image, JobKind.SEGMENT).pk))
        return fresh(image)


def unread() -> NoReturn:
    """A source for features that are cached."""
    raise AssertionError("the image was read although its features are cached")


def open_job(image: Image, kind: JobKind) -> Job:
    return Job.objects.get(image=image, kind=kind, status__in=["queued", "running"])


def fresh(image: Image) -> Image:
    """The image as the database has it, with its project."""
    return Image.objects.select_related("project", "project__active_version").get(pk=image.pk)


@pytest.fixture
def lab(db: None) -> Lab:
    base = model_version_register(path=Path(settings.CELLLOOP_WEIGHTS))
    alice = make_user("alice")
    return Lab(alice, project_create(name="Nuclei", created_by=alice), base)


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> VersionWeights:
    """The model that we ship."""
    path = tmp_path_factory.mktemp("weights") / "base.safetensors"
    path.write_bytes(Path(settings.CELLLOOP_WEIGHTS).read_bytes())
    file = WeightFile(path, hashlib.sha256(path.read_bytes()).hexdigest())
    predictor = Predictor(load(path))
    return VersionWeights(
        base=file,
        tuned=None,
        trunk_hash=predictor.trunk_hash,
        neck_hash=predictor.neck_hash,
        finder_hash=predictor.finder_hash,
        threshold=predictor.thresholds.box,
    )
