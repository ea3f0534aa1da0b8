"""The one place that knows Celery: it sends tasks by name, on commit, with ids only, and reads its crontab lines.

It imports no task.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime
from functools import partial
from typing import Any

from celery import current_app
from celery.schedules import ParseException, crontab
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis import RedisError

from labeling.errors import Unavailable
from labeling.live import ACTIVE_KEY, ACTIVE_MS, redis_client
from labeling.models import Job, JobKind

logger = logging.getLogger(__name__)

# Within a queue the lower number goes first. Beat's errands have 0: behind 10,000 uploads they would expire unread.
AWAITED, BATCH = 3, 6  # someone waits with a box in hand; an upload, a run
TASKS: dict[str, tuple[str, str, int]] = {  # job kind -> task name, queue, priority
    JobKind.INGEST: ("ingest.ingest_image", "ingest", BATCH),
    JobKind.SEGMENT: ("segment.segment_image", "segment", BATCH),
    JobKind.EMBED: ("segment.embed_image", "segment", AWAITED),
    JobKind.TRAIN: ("train.tune_model", "train", BATCH),
}
DECODE_TASK, DECODE_QUEUE = "interactive.decode_prompt", "interactive"
# Redis down must not hold a request: the sweep sends the job later.
PRIORITY_SEPARATOR = "\x06\x16"  # kombu's own
_RETRY = {"max_retries": 1, "interval_start": 0.1}


def send_job(job: Job) -> None:
    """Send the job's message once the transaction is committed."""
    job_id, kind = str(job.pk), job.kind
    transaction.on_commit(lambda: _send(job_id, kind), robust=True)


def queue_lengths() -> dict[str, int]:
    """Messages that wait in each job queue of the broker."""
    client = redis_client()
    queues = sorted({queue for _, queue, _ in TASKS.values()})
    return {queue: sum(int(client.llen(name)) for name in messages_of(queue)) for queue in queues}


def messages_of(queue: str) -> list[str]:
    """The broker's lists of a queue's messages, one a priority, in the order in which they are consumed."""
    return [queue, *(f"{queue}{PRIORITY_SEPARATOR}{priority}" for priority in (AWAITED, BATCH))]


def queue_of(kind: str) -> str:
    """The queue that serves this kind of job."""
    return TASKS[kind][1]


def decode_send(request: dict[str, Any]) -> None:
    """Ask the interactive worker for one mask, and tell background work to make way. Unread after its deadline.

    Raises Unavailable if the queue cannot be reached.
    """
    try:
        redis_client().set(ACTIVE_KEY, "1", px=ACTIVE_MS)
        current_app.send_task(
            DECODE_TASK,
            kwargs={"request": request},
            queue=DECODE_QUEUE,
            expires=max(0.1, float(request["deadline"]) - time.time()),
            retry=True,
            retry_policy=_RETRY,
        )
    except (RedisError, OperationalError) as error:
        raise Unavailable("The queue cannot be reached.", code="model_busy", retry_after_s=2) from error


def _send(job_id: str, kind: str) -> None:
    name, queue, priority = TASKS[kind]
    try:
        current_app.send_task(
            name,
            kwargs={"job_id": job_id},
            queue=queue,
            priority=priority,
            retry=True,
            retry_policy=_RETRY,
        )
    except OperationalError as error:
        logger.warning("job %s not sent, the sweep will: %s", job_id, error)
        return
    Job.objects.filter(pk=job_id).update(sent_at=timezone.now())


def crontab_is_due(line: str, *, since: datetime, now: datetime) -> bool:
    """Whether a time of the crontab line lies after ``since`` and not after ``now``. Raises ValueError."""
    schedule = crontab_parse(line, now=now)
    return bool(schedule.is_due(timezone.localtime(since)).is_due)


def crontab_parse(line: str, *, now: datetime | None = None) -> crontab:
    """Minute, hour, day of month, month, day of week. Raises ValueError with a sentence."""
    fields = line.split()
    if len(fields) != 5:
        raise ValueError("A schedule has five fields: minute, hour, day of month, month, day of week.")
    minute, hour, day, month, weekday = fields
    clock = partial(timezone.localtime, now)
    try:
        return crontab(minute, hour, weekday, day, month, nowfun=clock)
    except (ParseException, ValueError) as error:
        raise ValueError(f"{line!r} is not a schedule: {error}.") from error
