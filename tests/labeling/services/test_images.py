"""From the upload to the moment an image can be opened."""

from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from labeling.errors import ClaimLost, Invalid, NotFound, UploadRejected
from labeling.models import Image, ImageStatus, Job, JobKind, JobStatus, Project, Split
from labeling.pixels import ChannelRoles, PixelInfo
from labeling.services.images import (
    channel_map_set,
    image_create,
    image_delete,
    image_ingested,
    image_segment,
)
from labeling.services.jobs import job_fail
from labeling.services.loop_settings import loop_settings_set
from tests.factories import HEIGHT, WIDTH, World, claim_of, ingest, make_image, make_ready_image, png, upload

RGB = ("Red", "Green", "Blue")


def test_it_works(world: World):
    image = image_create(project=world.project, uploaded_by=world.bob, name="well A1.png", content=upload())
    assert (image.name, image.height, image.width, image.dtype) == ("well A1.png", HEIGHT, WIDTH, "uint8")
    assert (image.status, image.revision, image.uploaded_by) == (ImageStatus.QUEUED, 0, world.bob)
    assert Job.objects.get(image=image).kind == JobKind.INGEST
    assert image.file.open("rb").read() == png()


def test_ingest_sends_it_on_to_segmentation(world: World):
    image = ingest(make_image(world.project))
    assert image.status == ImageStatus.QUEUED
    assert image.is_ingested
    statuses = dict(Job.objects.filter(image=image).values_list("kind", "status"))
    assert statuses == {JobKind.INGEST: JobStatus.SUCCEEDED, JobKind.SEGMENT: JobStatus.QUEUED}


def test_the_job_shows_in_the_image(world: World):
    image = ingest(make_image(world.project))
    claim_of(image, JobKind.SEGMENT)
    image.refresh_from_db()
    assert image.status == ImageStatus.SEGMENTING


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("notes.png", b"just some text", "notes.png"),
        ("empty.tif", b"", "empty"),
        ("half.png", png()[:20], "half.png"),
    ],
)
def test_it_rejects_a_file_that_is_no_image_and_says_why(world: World, name: str, data: bytes, reason: str):
    with pytest.raises(UploadRejected, match=reason):
        image_create(project=world.project, uploaded_by=world.bob, name=name, content=upload(name, data))
    assert not Image.objects.exists()
    assert not Job.objects.exists()


def test_a_name_is_the_last_part_of_the_path_and_printable(world: World):
    name = "../../etc/pass\x00wd\n" + "x" * 400 + ".png"
    image = image_create(project=world.project, uploaded_by=world.bob, name=name, content=upload())
    assert image.name.startswith("passwd")
    assert image.name.endswith(".png")
    assert len(image.name) == 255
    assert image.file.name == f"projects/{world.project.pk}/images/{image.pk}/original.png"


def test_every_second_new_group_is_held_out_until_the_gate_can_decide_and_then_every_fourth(world: World):
    splits = [make_image(world.project, seed=seed).split for seed in range(24)]
    held_out = [number for number, split in enumerate(splits, start=1) if split == Split.HELD_OUT]
    assert held_out == [4, 6, 8, 10, 12, 16, 20, 24]


def test_no_more_groups_are_held_out_than_the_project_wants(world: World):
    loop_settings_set(project=world.project, held_out_target=2)
    splits = [make_image(world.project, seed=seed).split for seed in range(12)]
    assert [index for index, split in enumerate(splits) if split == Split.HELD_OUT] == [3, 5]


def test_the_same_file_stays_in_its_split(world: World):
    images = [make_image(world.project, seed=seed) for seed in range(4)]
    again = [make_image(world.project, seed=seed) for seed in (3, 0)]
    assert [image.split for image in again] == [images[3].split, images[0].split]
    assert make_image(world.project, seed=9).split == Split.TRAIN  # the fifth group


def test_images_of_one_group_stay_together(world: World):
    splits = {
        image_create(
            project=world.project,
            uploaded_by=None,
            name="s.png",
            content=upload(data=png(seed=n)),
            group_key="slide 1",
        ).split
        for n in range(8)
    }
    assert len(splits) == 1


def test_projects_count_their_groups_apart(world: World):
    from labeling.services.projects import project_create

    for seed in range(3):
        make_image(world.project, seed=seed)
    other = project_create(name="Other", created_by=world.charlie)
    assert make_image(other, seed=0).split == Split.TRAIN


def test_an_image_of_several_channels_waits_for_the_map(world: World):
    image = ingest(make_image(world.project, rgb=True), channel_names=("DAPI", "Actin"))
    assert image.status == ImageStatus.NEEDS_CHANNELS
    assert "DAPI, Actin" in image.error
    assert not Job.objects.filter(image=image, kind=JobKind.SEGMENT).exists()


def test_the_map_sends_waiting_images_on_and_is_remembered(world: World):
    waiting = ingest(make_image(world.project, seed=1), channel_names=("DAPI", "Actin"))
    other = ingest(make_image(world.project, seed=2), channel_names=("GFP", "Actin"))
    chosen = ChannelRoles(nuclear="DAPI", whole_cell="Actin", rgb=False)
    assert channel_map_set(project=world.project, channel_map=chosen) == 1
    waiting.refresh_from_db()
    other.refresh_from_db()
    assert (waiting.status, waiting.error) == (ImageStatus.QUEUED, "")
    assert other.status == ImageStatus.NEEDS_CHANNELS
    later = ingest(make_image(world.project, seed=3), channel_names=("DAPI", "Actin"))
    assert later.status == ImageStatus.QUEUED


def test_colour_images_go_on_if_the_map_says_rgb(world: World):
    image = ingest(make_image(world.project, rgb=True), channel_names=RGB)
    assert image.status == ImageStatus.NEEDS_CHANNELS
    channel_map_set(project=world.project, channel_map={"nuclear": None, "whole_cell": None, "rgb": True})
    image.refresh_from_db()
    assert image.status == ImageStatus.QUEUED


@pytest.mark.parametrize(
    "chosen",
    [
        {"nuclear": None, "whole_cell": None, "rgb": False},
        {"nuclear": "DAPI", "whole_cell": "DAPI", "rgb": False},
    ],
)
def test_it_rejects_a_map_that_says_nothing(world: World, chosen):
    with pytest.raises(Invalid):
        channel_map_set(project=world.project, channel_map=chosen)


def test_a_failed_ingest_can_be_run_again(world: World):
    image = make_image(world.project)
    job_fail(claim=claim_of(image, JobKind.INGEST), error="The disk was full.", retry=False)
    job = image_segment(image=image)
    image.refresh_from_db()
    assert (job.kind, image.status, image.error) == (JobKind.INGEST, ImageStatus.QUEUED, "")


def test_a_failed_segmentation_can_be_run_again(world: World):
    image = ingest(make_image(world.project))
    job_fail(claim=claim_of(image, JobKind.SEGMENT), error="Out of memory.", retry=False)
    assert image_segment(image=image).kind == JobKind.SEGMENT


def test_a_lost_claim_leaves_nothing_behind(world: World, django_capture_on_commit_callbacks):
    image = make_image(world.project)
    claim = claim_of(image, JobKind.INGEST)
    Job.objects.filter(image=image).update(fence=9)
    info = PixelInfo("png", HEIGHT, WIDTH, "uint8", ("Channel 1",), None, "uint8")
    with pytest.raises(ClaimLost):
        image_ingested(claim=claim, image_id=image.pk, info=info, pyramid=b"pyramid", thumbnail=b"RIFF")
    image.refresh_from_db()
    assert not image.is_ingested
    folder = str(image.file.name).rsplit("/", 1)[0]
    assert default_storage.listdir(folder)[1] == ["original.png"]


def test_deleting_an_image_deletes_its_files(world: World, django_capture_on_commit_callbacks):
    image = make_ready_image(world.project)
    names = [image.file.name, image.pyramid.name, image.thumbnail.name]
    with django_capture_on_commit_callbacks(execute=True):
        image_delete(image=image)
    assert [default_storage.exists(str(name)) for name in names] == [False, False, False]
    assert not Image.objects.exists()


def test_a_group_keeps_its_split_when_its_images_are_deleted(world: World):
    """An image that was trained on never comes back as a held-out one."""
    images = [make_image(world.project, seed=seed) for seed in range(4)]
    splits = [image.split for image in images]
    for image in images:
        image_delete(image=image)
    back = [make_image(world.project, seed=seed) for seed in (3, 2, 1, 0)]
    assert [image.split for image in back] == splits[::-1]
    assert make_image(world.project, seed=9).split == Split.TRAIN  # the fifth group


def test_groups_whose_images_were_deleted_take_no_turn(world: World):
    """They are remembered, but a project that was emptied begins anew."""
    for seed in range(4):
        image_delete(image=make_image(world.project, seed=seed))
    splits = [make_image(world.project, seed=10 + seed).split for seed in range(6)]
    assert [number for number, split in enumerate(splits, start=1) if split == Split.HELD_OUT] == [4, 6]


def test_a_held_out_image_that_was_deleted_leaves_its_place_to_another(world: World):
    loop_settings_set(project=world.project, held_out_target=1)
    images = [make_image(world.project, seed=seed) for seed in range(4)]
    image_delete(image=images[3])
    assert make_image(world.project, seed=10).split == Split.HELD_OUT
    assert [make_image(world.project, seed=20 + seed).split for seed in range(2)] == [Split.TRAIN] * 2


def test_a_group_of_which_an_image_is_left_keeps_its_place(world: World):
    loop_settings_set(project=world.project, held_out_target=1)
    images = [make_image(world.project, seed=seed) for seed in (0, 1, 2, 3, 3)]
    image_delete(image=images[4])
    assert [make_image(world.project, seed=10 + seed).split for seed in range(2)] == [Split.TRAIN] * 2


def test_it_rejects_an_upload_into_a_project_that_was_deleted_meanwhile(world: World):
    Project.objects.filter(pk=world.project.pk).delete()
    with pytest.raises(NotFound):
        make_image(world.project)
    folder = Path(default_storage.path(f"projects/{world.project.pk}"))
    assert [path for path in folder.rglob("*") if path.is_file()] == []
