"""What can go wrong in the domain. Raised where it is known; turned into HTTP in ``labeling.api.errors`` alone.

Each error has a ``code`` for programs, a sentence for people, and ``extra`` figures. ``retry_after_s`` says whether and
when the same request may work.
"""

from __future__ import annotations

from typing import Any


class DomainError(Exception):
    """Base of all; never raised itself."""

    code = "error"

    def __init__(self, detail: str, *, retry_after_s: int | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.extra = extra


class NotFound(DomainError):
    """It does not exist, or not for this user: the two are never told apart."""

    code = "not_found"

    def __init__(self, what: str = "This") -> None:
        super().__init__(f"{what} was not found.")


class Forbidden(DomainError):
    """A member of the project whose role does not allow this."""

    code = "forbidden"


class Invalid(DomainError):
    """The request makes no sense as it is; repeating it will not help."""

    code = "invalid"

    def __init__(self, detail: str, *, code: str = "invalid", **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.code = code


class Conflict(DomainError):
    """The request was fine, the state of things was not."""

    code = "conflict"

    def __init__(self, detail: str, *, code: str = "conflict", **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.code = code


class StaleRevision(Conflict):
    """Someone else changed the image since the client loaded it."""

    def __init__(self, revision: int) -> None:
        super().__init__(
            f"The image is at revision {revision} by now.", code="stale_revision", revision=revision
        )


class BeforeMismatch(Conflict):
    """A cell is not as the patch says it was."""

    def __init__(self, detail: str, *, cell: str | None = None) -> None:
        super().__init__(detail, code="before_mismatch", cell=cell)


class LeaseLost(Conflict):
    """Another tab edits the image; ``holder`` says who and which, ``revision`` is the image's."""

    def __init__(self, detail: str, *, holder: dict[str, Any], revision: int) -> None:
        super().__init__(detail, code="lease_lost", holder=holder, revision=revision)


class UploadRejected(Invalid):
    """A file that is not an image we can take; the sentence names the file and the reason."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, code="bad_image")


class Unavailable(DomainError):
    """Works again in a moment, without anyone's doing."""

    def __init__(self, detail: str, *, code: str, retry_after_s: int) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)
        self.code = code


class ClaimLost(Exception):
    """Another worker has this job by now, or it was closed: stop, and write nothing."""


class JobCancelled(Exception):
    """Someone cancelled the job; it is marked as cancelled already. Stop, and write nothing."""
