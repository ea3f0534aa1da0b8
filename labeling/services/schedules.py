"""A project's schedule: a crontab line, kept in step with a periodic task that beat reads from the database."""

from __future__ import annotations

import json
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from labeling import dispatch
from labeling.errors import Invalid
from labeling.models import Project

TASK = "ingest.start_scheduled_training"
# A run that could not be announced for so long waits for the next time: nobody expects a nightly run at noon.
EXPIRE_S = 3600


def schedule_check(schedule: str) -> None:
    """Raise Invalid unless ``schedule`` is empty or a crontab line of five fields."""
    if not schedule:
        return
    try:
        dispatch.crontab_parse(schedule)
    except ValueError as error:
        raise Invalid(str(error)) from error


def schedule_sync(project: Project) -> None:
    """Give beat the project's schedule, or take it away. In the transaction that stores the project."""
    if not project.train_schedule:
        schedule_remove(project.pk)
        return
    minute, hour, day, month, weekday = project.train_schedule.split()
    crontab, _ = CrontabSchedule.objects.get_or_create(
        minute=minute, hour=hour, day_of_month=day, month_of_year=month, day_of_week=weekday,
        timezone=settings.TIME_ZONE,
    )  # fmt: skip
    values = {
        "task": TASK, "crontab": crontab, "kwargs": json.dumps({"project_id": str(project.pk)}), "queue": "ingest",
        "priority": 0, "expire_seconds": EXPIRE_S, "enabled": True,
        "last_run_at": timezone.now(),  # the old schedule's last time would make the new one due at once
    }  # fmt: skip
    PeriodicTask.objects.update_or_create(name=_name(project.pk), defaults=values)


def schedule_remove(project_id: UUID) -> None:
    """Beat knows nothing of the project any more."""
    for task in PeriodicTask.objects.filter(name=_name(project_id)):
        task.delete()  # one by one: only so does beat hear of it


def _name(project_id: UUID) -> str:
    return f"train-project-{project_id}"
