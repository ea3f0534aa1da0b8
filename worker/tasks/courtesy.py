"""Background work makes way: between two steps it waits while someone is drawing boxes."""

from __future__ import annotations

import time

from labeling.live import ACTIVE_KEY, redis_client

# A person who draws boxes without a pause slows background work down, and never stops it.
LONGEST_WAIT_S = 2.0
LOOK_EVERY_S = 0.05


def make_way(*, longest_s: float = LONGEST_WAIT_S) -> float:
    """Wait while the key that every box sets is there, at most `longest_s`. Returns the seconds waited."""
    started = time.monotonic()
    waited = 0.0
    while waited < longest_s and redis_client().exists(ACTIVE_KEY):
        time.sleep(LOOK_EVERY_S)
        waited = time.monotonic() - started
    return waited
