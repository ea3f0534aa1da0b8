"""How a project's loop runs by itself: when it trains, what people see before they label, how deep runs may go."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from labeling import live
from labeling.errors import Invalid
from labeling.models import Presegmentation, Project
from labeling.services.activation import project_locked
from labeling.services.outlines import outlines_follow
from labeling.services.schedules import schedule_check, schedule_sync

LARGEST_THRESHOLD = 1_000_000
LARGEST_TARGET = 1000
FIELDS = (
    "correction_threshold", "train_schedule", "blind_held_out", "held_out_target", "presegmentation", "deep",
)  # fmt: skip


@transaction.atomic
def loop_settings_set(*, project: Project, **values: Any) -> Project:
    """Change those of FIELDS that are given. Raises Invalid for a value that cannot be.

    Held-out images that were segmented already stay blind or not as they are. Where outlines are hidden or shown
    from now on, images that nobody has opened follow.
    """
    project = project_locked(project.pk)
    schedule = project.train_schedule
    with outlines_follow(project):
        for name in FIELDS:
            if values.get(name) is not None:
                setattr(project, name, values[name])
        _check(project)
        project.save(update_fields=FIELDS)
    if project.train_schedule != schedule:
        schedule_sync(project)
    live.publish(project.pk, "model", {"settings": str(project.pk)})
    return project


def _check(project: Project) -> None:
    if not 1 <= project.correction_threshold <= LARGEST_THRESHOLD:
        raise Invalid(f"The threshold is a number of cells from 1 to {LARGEST_THRESHOLD:,}.")
    if not 0 <= project.held_out_target <= LARGEST_TARGET:
        raise Invalid(f"At most {LARGEST_TARGET:,} groups of images are held out.")
    if project.presegmentation not in Presegmentation.values:
        raise Invalid(f"Pre-segmentation is one of {', '.join(Presegmentation.values)}.")
    schedule_check(project.train_schedule)
