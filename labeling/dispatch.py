"""The one place that knows Celery: it sends tasks by name, on commit, with ids only, and reads its crontab lines.

It imports no task.
"""

from __future__ import annotations

import logging
import time
from typing import Any
from uuid import UUID

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
AWAITED, BATCH, LATER = (
    3,
    6,
    9,
)  # someone waits with a box in hand; an upload, a run; what is there is good enough
TASKS: dict[str, tuple[str, str, int]] = {  # job kind -> task name, queue, priority
    JobKind.INGEST: ("ingest.ingest_image", "ingest", BATCH),
    JobKind.SEGMENT: ("segment.segment_image", "segment", BATCH),
    JobKind.EMBED: ("segment.embed_image", "segment", AWAITED),
    JobKind.TRAIN: ("train.tune_model", "train", BATCH),
}
DECODE_TASK, DECODE_QUEUE = "interactive.decode_prompt", "interactive"
COMPARE_TASK = "segment.compare_versions"
ERRANDS = "ingest"  # the queue of the clock's own work
# Redis down must not hold a request: the sweep sends the job later.
PRIORITY_SEPARATOR = "\x06\x16"  # kombu's own
_RETRY = {"max_retries": 1, "interval_start": 0.1}


def send_job(job: Job) -> None:
    """Send the job's message once the transaction is committed."""
    job_id, kind = str(job.pk), job.kind
    priority = LATER if job.payload.get("redecode") or job.payload.get("later") else TASKS[kind][2]
    transaction.on_commit(lambda: _send(job_id, kind, priority), robust=True)


def send_redecode(project_id: UUID) -> None:
    """Once committed: have the images that nobody has opened decoded by the active version. The sweep asks again."""
    _send_errand("ingest.redecode_images", project_id)


def send_prepare(project_id: UUID) -> None:
    """Once committed: get on with the project's pending version. The sweep asks again."""
    _send_errand("ingest.prepare_version", project_id)


def _send_errand(name: str, project_id: UUID) -> None:
    kwargs = {"project_id": str(project_id)}

    def send() -> None:
        try:
            current_app.send_task(name, kwargs=kwargs, queue=ERRANDS, retry=True, retry_policy=_RETRY)
        except OperationalError as error:
            logger.warning("%s not sent, the sweep will: %s", name, error)

    transaction.on_commit(send, robust=True)


def queue_lengths() -> dict[str, int]:
    """Messages that wait in each job queue of the broker."""
    client = redis_client()
    queues = sorted({queue for _, queue, _ in TASKS.values()})
    return {queue: sum(int(client.llen(name)) for name in messages_of(queue)) for queue in queues}


def messages_of(queue: str) -> list[str]:
    """The broker's lists of a queue's messages, one a priority, in the order in which they are consumed."""
    return [queue, *(f"{queue}{PRIORITY_SEPARATOR}{priority}" for priority in (AWAITED, BATCH, LATER))]


def queue_of(kind: str) -> str:
    """The queue that serves this kind of job."""
    return TASKS[kind][1]


def decode_send(request: dict[str, Any]) -> None:
    """Ask the interactive worker for one mask, and tell background work to make way. Unread after its deadline.

    Raises Unavailable if the queue cannot be reached.
    """
    _send_awaited(DECODE_TASK, DECODE_QUEUE, request, make_way=True)


def compare_send(request: dict[str, Any]) -> None:
    """Ask a segmentation worker for all cells of an image by each of some versions, before other images' cells.

    Unread after its deadline. Raises Unavailable if the queue cannot be reached.
    """
    _send_awaited(COMPARE_TASK, queue_of(JobKind.SEGMENT), request, priority=AWAITED)


def _send_awaited(
    name: str, queue: str, request: dict[str, Any], *, make_way: bool = False, priority: int | None = None
) -> None:
    try:
        if make_way:
            redis_client().set(ACTIVE_KEY, "1", px=ACTIVE_MS)
        current_app.send_task(
            name,
            kwargs={"request": request},
            queue=queue,
            priority=priority,
            expires=max(0.1, float(request["deadline"]) - time.time()),
            retry=True,
            retry_policy=_RETRY,
        )
    except (RedisError, OperationalError) as error:
        raise Unavailable("The queue cannot be reached.", code="model_busy", retry_after_s=2) from error


def _send(job_id: str, kind: str, priority: int) -> None:
    name, queue, _ = TASKS[kind]
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


def crontab_parse(line: str) -> crontab:
    """Minute, hour, day of month, month, day of week. Raises ValueError with a sentence."""
    fields = line.split()
    if len(fields) != 5:
        raise ValueError("A schedule has five fields: minute, hour, day of month, month, day of week.")
    minute, hour, day, month, weekday = fields
    try:
        return crontab(minute, hour, weekday, day, month)
    except (ParseException, ValueError) as error:
        raise ValueError(f"{line!r} is not a schedule: {error}.") from error
