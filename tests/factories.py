"""One world for all tests: Alice owns a project, Bob annotates in it, Charlie is a stranger, Vera only looks."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

import numpy as np
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image as PillowImage
from tifffile import imwrite

from labeling.models import (
    Image,
    Job,
    JobKind,
    Membership,
    ModelVersion,
    Project,
    Proposal,
    Role,
    Series,
    VersionStatus,
)
from labeling.patch import CellState, Patch
from labeling.pixels import PixelInfo
from labeling.pyramid import write_pyramid
from labeling.rle import BoxMask
from labeling.services.images import image_create, image_ingested, image_segment
from labeling.services.jobs import Claim, job_claim
from labeling.services.projects import project_create
from labeling.services.segmentation import segmentation_store
from labeling.uncertainty import Evidence

HEIGHT, WIDTH = 64, 80
PASSWORD = "correct horse"


@dataclass(frozen=True, slots=True)
class World:
    alice: Any
    bob: Any
    charlie: Any
    vera: Any
    project: Project
    base: ModelVersion


@cache
def hashed_password() -> str:
    """Of PASSWORD; made once, for it takes a quarter of a second by design."""
    return make_password(PASSWORD)


def make_user(name: str, **fields: Any) -> Any:
    return get_user_model().objects.create(username=name, password=hashed_password(), **fields)


def make_base(number: int = 1, **fields: Any) -> ModelVersion:
    """A base version whose weight file holds nothing: for tests that never load it."""
    digest = f"{number:064x}"
    values: dict[str, Any] = {
        "number": number, "name": f"tiny {number}", "architecture": "tiny", "weights_sha256": digest,
        "trunk_hash": "t" * 64, "neck_hash": "n" * 64, "preprocessing": "test", "threshold": 0.4,
        "licence": "Apache-2.0", "status": VersionStatus.BASE,
    }  # fmt: skip
    version = ModelVersion(**(values | fields))
    version.weights.save("base.safetensors", ContentFile(b"weights"), save=False)
    version.save()
    return version


def make_tuned(project: Project, *, number: int = 1, **fields: Any) -> ModelVersion:
    """A version of the project that was tuned on its base's neck; its weight file holds nothing."""
    base = project.active_version
    assert base is not None
    values: dict[str, Any] = {
        "project": project, "parent": base, "number": number, "name": f"v{number}", "rung": 1,
        "architecture": base.architecture, "weights_sha256": f"{number + 1000:064x}", "trunk_hash": base.trunk_hash,
        "neck_hash": f"{number:064x}", "preprocessing": base.preprocessing, "threshold": 0.4,
        "licence": base.licence, "status": VersionStatus.REJECTED,
    }  # fmt: skip
    version = ModelVersion(**(values | fields))
    version.weights.save("tuned.safetensors", ContentFile(b"tuned"), save=False)
    version.save()
    return version


def make_world() -> World:
    base = make_base()
    alice, bob = make_user("alice", first_name="Alice", last_name="Adams"), make_user("bob")
    charlie, vera = make_user("charlie"), make_user("vera")
    project = project_create(name="Nuclei", created_by=alice)
    Membership.objects.create(project=project, user=bob, role=Role.ANNOTATOR)
    Membership.objects.create(project=project, user=vera, role=Role.VIEWER)
    return World(alice=alice, bob=bob, charlie=charlie, vera=vera, project=project, base=base)


def png(height: int = HEIGHT, width: int = WIDTH, *, seed: int = 0, rgb: bool = False) -> bytes:
    """A small noisy picture; each seed gives another file."""
    shape = (height, width, 3) if rgb else (height, width)
    pixels = np.random.default_rng(seed).integers(0, 255, size=shape, dtype=np.uint8)
    file = io.BytesIO()
    PillowImage.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def upload(name: str = "a.png", data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, png() if data is None else data)


def make_image(
    project: Project, *, name: str = "a.png", seed: int = 0, by: Any = None, rgb: bool = False
) -> Image:
    """An image that was uploaded and waits for ingest."""
    return image_create(
        project=project, uploaded_by=by, name=name, content=upload(name, png(seed=seed, rgb=rgb))
    )


def claim_of(image: Image, kind: JobKind) -> Claim:
    """The claim on the image's open job of this kind."""
    claim = job_claim(job_id=Job.objects.get(image=image, kind=kind, status="queued").pk)
    assert claim is not None
    return claim


def ingest(image: Image, *, channel_names: tuple[str, ...] = ("Channel 1",)) -> Image:
    """What the ingest worker does, with a blank pyramid."""
    info = PixelInfo(
        format="png", height=HEIGHT, width=WIDTH, dtype="uint8", channel_names=channel_names, pixel_size_um=None,
        source_dtype="uint8",
    )  # fmt: skip
    pyramid = io.BytesIO()
    write_pyramid(
        np.arange(HEIGHT * WIDTH, dtype=np.uint32).astype(np.uint8).reshape(1, HEIGHT, WIDTH), pyramid
    )
    claim = claim_of(image, JobKind.INGEST)
    return image_ingested(
        claim=claim, image_id=image.pk, info=info, pyramid=pyramid.getvalue(), thumbnail=b"RIFFxxxxWEBP"
    )


def segment(
    image: Image, masks: list[BoxMask], *, score: float = 0.9, scores: list[float] | None = None,
    version: ModelVersion | None = None, evidence: Evidence | None = None,
) -> Image:  # fmt: skip
    """What the segmentation worker does."""
    version = version or Project.objects.get(pk=image.project_id).active_version
    assert version is not None
    segmentation_store(
        claim=claim_of(image, JobKind.SEGMENT), image_id=image.pk, version_id=version.pk, masks=masks,
        scores=scores or [score] * len(masks), evidence=evidence,
    )  # fmt: skip
    image.refresh_from_db()
    return image


def square(x: int, y: int, side: int = 4) -> BoxMask:
    """A filled square whose first pixel is (x, y)."""
    return BoxMask(box=(x, y, x + side, y + side), rle=(0, side * side))


def make_ready_image(project: Project, masks: list[BoxMask] | None = None, *, seed: int = 0) -> Image:
    """An image with the model's cells in it: three squares unless told otherwise."""
    chosen = [square(0, 0), square(10, 10), square(20, 20)] if masks is None else masks
    return segment(ingest(make_image(project, name=f"image{seed}.png", seed=seed)), chosen)


def make_proposal(image: Image, masks: list[BoxMask]) -> Proposal:
    """A segmentation that came after a person had edited or submitted the image."""
    image_segment(image=image)
    segment(image, masks)
    return Proposal.objects.filter(image=image).latest("created_at")


def make_series(project: Project, *, frames: int = 3, axis: str = "T", seed: int = 0) -> Series:
    """A time-lapse or a z-stack whose frames wait for ingest."""
    pixels = np.random.default_rng(seed).integers(0, 255, (frames, HEIGHT, WIDTH)).astype(np.uint8)
    file = io.BytesIO()
    imwrite(file, pixels, imagej=True, metadata={"axes": f"{axis}YX"})
    first = image_create(
        project=project, uploaded_by=None, name="movie.tif", content=upload("movie.tif", file.getvalue())
    )
    assert first.series is not None
    return first.series


def cell(mask: BoxMask, *, label: int, **fields: Any) -> CellState:
    """A cell that a person drew."""
    values: dict[str, Any] = {"id": str(uuid4()), "score": None, "source": "person", "model_version": None}
    return CellState(label=label, box=mask.box, rle=tuple(mask.rle), **(values | fields))


def adding(*cells: CellState) -> Patch:
    return Patch(added=cells)
