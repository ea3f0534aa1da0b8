"""Images from the upload to the moment people can open them."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from copy import copy
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef

from labeling import dispatch, live
from labeling.errors import Invalid, NotFound, UploadRejected
from labeling.gate import MINIMUM_IMAGES
from labeling.models import Image, ImageGroup, ImageStatus, Job, JobKind, Project, Series, Split
from labeling.pixels import ChannelRoles, PixelError, PixelInfo, probe
from labeling.selectors.channels import channel_roles
from labeling.selectors.images import image_event
from labeling.services.jobs import Claim, job_create, job_finish, open_jobs_lock

# New groups are held out, for good, by their turn until the project has as many as it wants: never the first three,
# then every second until the gate has what it needs to decide (a run before that promotes nothing), then every fourth.
NEVER_HELD_OUT, HELD_OUT_EVERY_AT_FIRST, HELD_OUT_EVERY = 3, 2, 4
NAME_LENGTH = 255
NEEDS_CHANNELS = "Say which channel shows nuclei and which whole cells: {names}."


def image_create(
    *, project: Project, uploaded_by: Any, name: str, content: File[Any], group_key: str | None = None
) -> Image:
    """Take in an uploaded file: headers are checked, the file is stored, an ingest job is sent.

    A time-lapse or a z-stack becomes a series: an image a frame, all of the one file and so of one group. Returns the
    first of them. ``group_key`` names what the image shares with others (slide, movie), which keeps them in one split;
    by default only an identical file is in its group. Raises UploadRejected with a sentence that names the file and
    the reason.
    """
    name = _clean_name(name)
    info = _probe(content, name)
    image = Image(
        project=project, name=name, uploaded_by=uploaded_by, byte_size=content.size, sha256=_sha256(content),
        width=info.width, height=info.height, dtype=info.dtype, channels=info.channels,
        pixel_size_um=info.pixel_size_um,
    )  # fmt: skip
    image.group_key = group_key or image.sha256
    if info.axis is not None:
        image.series = Series(project=project, name=name, axis=info.axis, count=info.frames)
    # Outside the transaction: writing gigabytes must not hold the project's lock.
    image.file.save(name, content, save=False)
    try:
        _insert(image)
    except BaseException:
        _delete_files([image.file.name])
        raise
    return image


def image_ingested(
    *, claim: Claim, image_id: UUID, info: PixelInfo, pyramid: bytes | Path, thumbnail: bytes
) -> Image:
    """Store what ingest made and send the image on: to segmentation, or to wait for its channels.

    ``pyramid`` is a file or its bytes, ``thumbnail`` a picture in WebP or PNG. Raises ClaimLost.
    """
    image = Image.objects.get(pk=image_id)
    replaced = [image.pyramid.name, image.thumbnail.name]
    # Outside the transaction: copying a large pyramid must not hold locks.
    _save_pyramid(image, pyramid)
    image.thumbnail.save(f"thumbnail{_picture_suffix(thumbnail)}", ContentFile(thumbnail), save=False)
    try:
        return _ingested(claim, image, info, replaced)
    except BaseException:
        _delete_files([image.pyramid.name, image.thumbnail.name])
        raise


@transaction.atomic
def channel_map_set(*, project: Project, channel_map: ChannelRoles) -> int:
    """Remember which channels show what; images that waited for it go on. Returns how many did.

    Raises Invalid if the map names no channel.
    """
    if not channel_map["rgb"] and channel_map["nuclear"] is None and channel_map["whole_cell"] is None:
        raise Invalid("Choose the channel that shows nuclei, the one that shows whole cells, or both.")
    if channel_map["nuclear"] is not None and channel_map["nuclear"] == channel_map["whole_cell"]:
        raise Invalid("One channel cannot show nuclei and whole cells at once.")
    project.channel_map = dict(channel_map)
    project.save(update_fields=["channel_map"])
    waiting = Image.objects.select_for_update(of=("self",)).filter(
        project=project, status=ImageStatus.NEEDS_CHANNELS
    )
    covered = 0
    for image in waiting.select_related("project"):
        image.project = project
        _send_on(image)
        covered += image.status == ImageStatus.QUEUED
    return covered


@transaction.atomic
def image_segment(*, image: Image) -> Job:
    """Run the way from the file to cells again: ingest if that failed, else segmentation.

    Raises Invalid if the channels are not mapped.
    """
    image = _locked(image, for_a_job=True)
    if image.is_ingested and channel_roles(image) is None:
        raise Invalid(_needs_channels(image), code="needs_channels")
    if image.status in (ImageStatus.FAILED, ImageStatus.READY):
        image.status, image.error = ImageStatus.QUEUED, ""
        image.save(update_fields=["status", "error"])
    kind = JobKind.SEGMENT if image.is_ingested else JobKind.INGEST
    job = job_create(kind=kind, project=image.project, image=image)
    if job.payload.pop("redecode", None):  # it waited behind all others, for nobody; now somebody asks
        job.save(update_fields=["payload"])
        dispatch.send_job(job)
    live.publish(image.project_id, "image", image_event(image, job))
    return job


@transaction.atomic
def image_delete(*, image: Image) -> None:
    """Delete an image with its cells, history and files."""
    open_jobs_lock(image_id=image.pk)
    series = None if image.series_id is None else _series_locked(image.series_id)
    image = _locked(image)
    names = [image.pyramid.name, image.thumbnail.name]
    is_last = series is None or not series.frames.exclude(pk=image.pk).exists()
    if is_last:
        names.append(image.file.name)
    _delete(image)
    if series is not None and is_last:
        series.delete()
    transaction.on_commit(lambda: _delete_files(names), robust=True)


@transaction.atomic
def series_delete(*, series: Series) -> None:
    """Delete a series: all its frames, with their cells and history, and the file."""
    open_jobs_lock(image__series=series)
    series = _series_locked(series.pk)
    frames = list(series.frames.order_by("pk"))
    names = [name for frame in frames for name in (frame.pyramid.name, frame.thumbnail.name)]
    for frame in frames:
        _delete(_locked(frame))
    series.delete()
    transaction.on_commit(
        lambda: _delete_files([*names, *{frame.file.name for frame in frames}]), robust=True
    )


def _delete(image: Image) -> None:
    project_id, image_id = image.project_id, image.pk
    image.delete()
    live.publish(project_id, "image", {"id": str(image_id), "status": "deleted"})


def _series_locked(series_id: UUID) -> Series:
    """The series, locked before its frames: of two who delete the last two frames, one deletes the file. NotFound."""
    series = Series.objects.select_for_update().filter(pk=series_id).first()
    if series is None:
        raise NotFound("The series")
    return series


def _locked(image: Image, *, for_a_job: bool = False) -> Image:
    """The image's row as it is now, with its project, locked against jobs and edits. Raises NotFound.

    A job that is made next names the project as well, which is locked first. Neither's key changes, so that a job that
    names them, and for whose end this one must wait, is let by.
    """
    open_jobs_lock(image_id=image.pk)
    if for_a_job:
        Project.objects.select_for_update(no_key=True).filter(pk=image.project_id).first()
    images = Image.objects.select_for_update(of=("self",), no_key=for_a_job).select_related("project")
    locked = images.filter(pk=image.pk).first()
    if locked is None:
        raise NotFound("The image")
    return locked


@transaction.atomic
def _insert(image: Image) -> None:
    # The project's lock makes the split of two uploads at once as append-only as that of one.
    project = Project.objects.select_for_update().filter(pk=image.project_id).first()
    if project is None:
        raise NotFound("The project")
    image.split = _split(image, project.held_out_target)
    if image.series is None:
        _insert_one(image)
        return
    image.series.save(force_insert=True)
    name, count = image.name, image.series.count
    for frame in range(count):
        one = image if frame == 0 else copy(image)
        one.pk = image.pk if frame == 0 else uuid4()
        one.frame, one.name = frame, _frame_name(name, image.series.axis, frame, count)
        _insert_one(one)


def _insert_one(image: Image) -> None:
    image.save(force_insert=True)
    job = job_create(kind=JobKind.INGEST, project=image.project, image=image)
    live.publish(image.project_id, "image", image_event(image, job))


def _frame_name(name: str, axis: str, frame: int, count: int) -> str:
    """ "movie_t007.tif" for the seventh frame of "movie.tif": people count from 1."""
    suffix = PurePosixPath(name).suffix[:16]
    number = f"_{axis}{frame + 1:0{len(str(count))}d}"
    return name.removesuffix(suffix)[: NAME_LENGTH - len(suffix) - len(number)] + number + suffix


def _split(image: Image, held_out_target: int) -> Split:
    """The split of the image's group: what it has been, or by the group's turn."""
    groups = ImageGroup.objects.filter(project_id=image.project_id)
    group = groups.filter(key=image.group_key).first()
    if group is None:
        # A group outlives its images. One that has none left is no evidence, and must not hold a place for good.
        images = Image.objects.filter(project_id=image.project_id, group_key=OuterRef("key"))
        present = groups.filter(Exists(images))
        held_out = present.filter(split=Split.HELD_OUT).count()
        its_turn = _held_out_turn(present.count() + 1, held_out)
        split = Split.HELD_OUT if its_turn and held_out < held_out_target else Split.TRAIN
        group = ImageGroup.objects.create(project_id=image.project_id, key=image.group_key, split=split)
    return Split(group.split)


def _held_out_turn(number: int, held_out: int) -> bool:
    """Whether a project's group ``number``, from 1, is held out after ``held_out`` others."""
    every = HELD_OUT_EVERY_AT_FIRST if held_out < MINIMUM_IMAGES else HELD_OUT_EVERY
    return number > NEVER_HELD_OUT and number % every == 0


def _send_on(image: Image) -> None:
    """To segmentation if the project's map covers the channels, else to wait for it."""
    job = None
    if channel_roles(image) is None:
        image.status, image.error = ImageStatus.NEEDS_CHANNELS, _needs_channels(image)
    else:
        image.status, image.error = ImageStatus.QUEUED, ""
        job = job_create(kind=JobKind.SEGMENT, project=image.project, image=image)
    image.save(update_fields=["status", "error"])
    live.publish(image.project_id, "image", image_event(image, job))


def _needs_channels(image: Image) -> str:
    return NEEDS_CHANNELS.format(names=", ".join(channel["name"] for channel in image.channels))


@transaction.atomic
def _ingested(claim: Claim, made: Image, info: PixelInfo, replaced: list[str | None]) -> Image:
    job_finish(claim=claim)
    # Locked, so that whoever maps the channels now waits for this image, or this image for them.
    project = Project.objects.select_for_update(no_key=True).get(pk=made.project_id)
    image = Image.objects.select_for_update().get(pk=made.pk)
    image.project = project
    image.pyramid, image.thumbnail = made.pyramid.name, made.thumbnail.name
    image.width, image.height, image.dtype = info.width, info.height, info.dtype
    image.channels, image.pixel_size_um = info.channels, info.pixel_size_um
    image.save()
    _send_on(image)
    transaction.on_commit(lambda: _delete_files(replaced), robust=True)
    return image


def _save_pyramid(image: Image, pyramid: bytes | Path) -> None:
    if isinstance(pyramid, bytes):
        image.pyramid.save("pyramid.tif", ContentFile(pyramid), save=False)
        return
    with pyramid.open("rb") as file:
        image.pyramid.save("pyramid.tif", File(file), save=False)


def _picture_suffix(picture: bytes) -> str:
    return ".png" if picture.startswith(b"\x89PNG") else ".webp"


def _delete_files(names: Iterable[str | None]) -> None:
    for name in names:
        if name:
            default_storage.delete(name)


def _probe(content: File[Any], name: str) -> PixelInfo:
    try:
        return probe(
            cast(BinaryIO, content),
            name,
            max_pixels=settings.MAX_IMAGE_PIXELS,
            max_bytes=settings.MAX_UPLOAD_MB * 2**20,
        )
    except PixelError as error:
        raise UploadRejected(str(error)) from error


def _sha256(content: File[Any]) -> str:
    digest = hashlib.sha256()
    for chunk in content.chunks():
        digest.update(chunk)
    content.seek(0)
    return digest.hexdigest()


def _clean_name(name: str) -> str:
    """The last part of the path, printable, at most NAME_LENGTH long with its suffix kept."""
    path = PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/"))
    printable = "".join(c for c in path.name if c.isprintable()).strip() or "image"
    if len(printable) <= NAME_LENGTH:
        return printable
    suffix = PurePosixPath(printable).suffix[:16]
    return printable[: NAME_LENGTH - len(suffix)] + suffix
