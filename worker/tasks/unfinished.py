"""Where a run keeps what it has learned so far, so that the next attempt goes on after its worker was killed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from labeling.errors import ClaimLost
from worker.tasks.lease import TRANSIENT

FORGOTTEN_AFTER_S = 30 * 86_400.0


@contextmanager
def unfinished_folder(run_id: str) -> Iterator[Path]:
    """The run's folder. It stays if the work ends in a way after which there is another attempt, and goes otherwise."""
    folder = settings.DATA_DIR / "tuning" / run_id
    _forget_old(folder.parent)
    try:
        yield folder
    except (ClaimLost, *TRANSIENT):
        raise
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _forget_old(parent: Path) -> None:
    """Folders whose run was deleted while its worker was down."""
    for folder in parent.glob("*"):
        if time.time() - folder.stat().st_mtime > FORGOTTEN_AFTER_S:
            shutil.rmtree(folder, ignore_errors=True)
