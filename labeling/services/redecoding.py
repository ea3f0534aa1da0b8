"""Images that nobody has opened, decoded again once people are to see other cells in them than they show."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from labeling import dispatch
from labeling.models import Image, JobKind, Project
from labeling.selectors.channels import channel_roles
from labeling.selectors.redecoding import undecoded_images
from labeling.services.jobs import job_create

BATCH = 200  # images whose jobs are made in one transaction


def redecode_request(project: Project) -> None:
    """What images show that nobody has opened is out of date: once committed, they are decoded again."""
    project.redecode_due = True
    project.save(update_fields=["redecode_due"])
    dispatch.send_redecode(project.pk)


def redecode_if_outdated(*, image_id: UUID) -> None:
    """Called once a segmentation is committed: it may show what an earlier version found, or by an earlier threshold.

    The errand of a change that came meanwhile leaves such an image alone, for it is still being segmented. Here, after
    the commit, whichever of the two is later sees the other. Within the segmentation's own transaction that would take
    a lock of the project; now none is held, and nobody waits for another in a circle.
    """
    image = Image.objects.select_related("project__active_version").filter(pk=image_id).first()
    if image is not None and undecoded_images(image.project).filter(pk=image_id).exists():
        Project.objects.filter(pk=image.project_id).update(redecode_due=True)
        dispatch.send_redecode(image.project_id)


def redecodes_enqueue(*, project_id: UUID) -> int:
    """Have the images that nobody has opened show what the active version finds. Returns how many.

    The cells that people drew or mended are never touched: `segmentation_store` looks again under the image's lock.
    """
    project = Project.objects.filter(pk=project_id, active_version__isnull=False).first()
    if project is None:
        return 0
    created, last = 0, UUID(int=0)
    while batch := list(undecoded_images(project).filter(pk__gt=last).order_by("pk")[:BATCH]):
        with transaction.atomic():
            for image in batch:
                image.project = project
                if channel_roles(image) is not None:
                    job_create(kind=JobKind.SEGMENT, project=project, image=image, payload={"redecode": True})
                    created += 1
        last = batch[-1].pk
    Project.objects.filter(pk=project_id, active_version_id=project.active_version_id).update(
        redecode_due=False
    )
    return created


def redecodes_due_enqueue() -> int:
    """The same for each project whose message was lost. Returns how many images."""
    due = Project.objects.filter(redecode_due=True).values_list("pk", flat=True)
    return sum(redecodes_enqueue(project_id=project_id) for project_id in list(due))
