"""How every job is worked on: claimed, kept alive by its progress, and closed with a reason if it fails."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import redis
from django.conf import settings
from django.db import InterfaceError, OperationalError

from labeling.errors import ClaimLost, DomainError, JobCancelled
from labeling.services.jobs import Claim, job_claim, job_fail, job_renew
from worker.tasks.courtesy import make_way

logger = logging.getLogger(__name__)

RENEW_EVERY_S = 1.0
# The world outside had a bad moment: the same job may go well later.
TRANSIENT = (OSError, MemoryError, OperationalError, InterfaceError, redis.RedisError)
PASSING = "The server had a passing problem ({name}). The worker's log has the details."
UNKNOWN = "An internal error ({name}). The worker's log has the details."


@dataclass
class Lease:
    """A claim and its progress. Every call renews it, and may end the work by JobCancelled or ClaimLost."""

    claim: Claim
    _done: float = 0.0
    _renewed_at: float = field(default_factory=time.monotonic)

    @property
    def job_id(self) -> UUID:
        return self.claim.job_id

    def say(self, done: float, message: str | None = None) -> None:
        """Say how much is done, in [0, 1]; a message is shown at once."""
        self._done = done
        if message is not None or time.monotonic() - self._renewed_at >= RENEW_EVERY_S:
            job_renew(claim=self.claim, progress=done, message=message, lease_s=settings.JOB_LEASE_S)
            self._renewed_at = time.monotonic()

    def pause(self) -> None:
        """Between two steps: make way for people."""
        make_way()
        self.say(self._done)

    def step(self, done: float) -> None:
        """Make way for people, then say how much is done."""
        make_way()
        self.say(done)

    def part(self, start: float, end: float) -> Callable[[float], None]:
        """`step` for a part of the work whose own progress runs from 0 to 1."""
        return lambda done: self.step(start + done * (end - start))


def run_job(job_id: str, work: Callable[[Lease], None], *, refused: tuple[type[Exception], ...] = ()) -> None:
    """Claim the job, do the work, and turn what goes wrong into the job's fate.

    `refused` are the errors whose message is the reason for people and that no repetition mends; domain errors are
    such by themselves. A message that comes twice, or too late, finds nothing to claim and does no harm.
    """
    claim = job_claim(job_id=job_id, lease_s=settings.JOB_LEASE_S)
    if claim is None:
        return
    try:
        work(Lease(claim))
    except JobCancelled:
        logger.info("job %s was cancelled", job_id)
    except ClaimLost:
        logger.warning("job %s belongs to another worker by now", job_id)
    except DomainError as error:
        _fail(claim, error.detail, retry=False)
    except refused as error:
        _fail(claim, str(error), retry=False)
    except TRANSIENT as error:
        logger.exception("job %s, attempt %d", job_id, claim.attempt)
        _fail(claim, PASSING.format(name=type(error).__name__), retry=True)
    except Exception as error:
        logger.exception("job %s, attempt %d", job_id, claim.attempt)
        _fail(claim, UNKNOWN.format(name=type(error).__name__), retry=False)


def _fail(claim: Claim, error: str, *, retry: bool) -> None:
    try:
        job_fail(claim=claim, error=error, retry=retry)
    except ClaimLost:
        logger.warning("job %s belongs to another worker by now", claim.job_id)
