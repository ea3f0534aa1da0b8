"""Live events of a project: published on commit through Redis, read by the event stream.

Nothing depends on a message arriving: whoever connects first gets the state from the database.
"""

from __future__ import annotations

import asyncio
import json
import logging
from functools import cache
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from django.conf import settings
from django.db import transaction

logger = logging.getLogger(__name__)

ACTIVE_KEY = "interactive:active"  # set while someone is decoding: background work makes way
ACTIVE_MS = 1500
_async_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, redis.asyncio.Redis] = WeakKeyDictionary()


@cache
def redis_client() -> redis.Redis:
    """The process's pool of connections to Redis."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=10, health_check_interval=30)


def async_redis_client() -> redis.asyncio.Redis:
    """The running event loop's pool of connections; a connection cannot leave the loop that made it."""
    loop = asyncio.get_running_loop()
    if loop not in _async_clients:
        # No timeout of the socket's own: whoever waits for a reply or an event says for how long.
        _async_clients[loop] = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, socket_timeout=None, socket_connect_timeout=5, health_check_interval=30
        )
    return _async_clients[loop]


def channel_name(project_id: UUID | str) -> str:
    """The pub/sub channel of a project's events."""
    return f"project:{project_id}"


def publish(project_id: UUID, event: str, data: dict[str, Any]) -> None:
    """Send an event once the surrounding transaction is committed. A Redis that is away costs the event, no more."""
    message = json.dumps({"event": event, "data": data}, default=str)
    transaction.on_commit(lambda: _send(channel_name(project_id), message), robust=True)


def _send(channel: str, message: str) -> None:
    try:
        redis_client().publish(channel, message)
    except redis.RedisError as error:
        logger.warning("live event not sent: %s", error)
