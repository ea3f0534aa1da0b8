"""Live events of a project (server-sent events): the state from the database first, then what Redis brings."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from redis.asyncio.client import PubSub
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from labeling.api.views import ERRORS, AsyncAPIView
from labeling.live import async_redis_client, channel_name
from labeling.selectors.access import User, project_for, role_in
from labeling.selectors.jobs import job_event, open_jobs
from labeling.selectors.projects import project_figures

PING_EVERY_S = 15.0
CHECK_ACCESS_EVERY_S = 60.0


class AnyAccept(BaseContentNegotiation):
    """EventSource asks for text/event-stream, errors are JSON: no Accept header is refused."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class EventsView(AsyncAPIView):
    """`state` on every connect, then `image`, `job` and `model` as they happen; a comment now and then as a ping."""

    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="project_events", responses={(200, "text/event-stream"): OpenApiTypes.STR, **ERRORS}
    )
    async def get(self, request: Request, project_id: UUID) -> StreamingHttpResponse:
        await sync_to_async(_state)(request.user, project_id)  # a stranger gets an answer and no stream
        response = StreamingHttpResponse(
            _events(request.user, project_id), content_type="text/event-stream; charset=utf-8"
        )
        response["Cache-Control"] = "no-cache, no-transform"
        response["X-Accel-Buffering"] = "no"
        return response


async def _events(user: User, project_id: UUID) -> AsyncIterator[bytes]:
    """Subscribed before the state is read, so nothing falls between the two."""
    pubsub = async_redis_client().pubsub()
    try:
        await pubsub.subscribe(channel_name(project_id))
        yield _line("state", await sync_to_async(_state)(user, project_id))
        checked = time.monotonic()
        while True:
            yield await _next(pubsub)
            if time.monotonic() - checked > CHECK_ACCESS_EVERY_S:
                checked = time.monotonic()
                if not await sync_to_async(_may_still_watch)(user, project_id):
                    return
    finally:
        # Shielded: the client's leaving cancels this task, and a subscription left behind would stay for good.
        await asyncio.shield(pubsub.aclose())


async def _next(pubsub: PubSub) -> bytes:
    message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=PING_EVERY_S)
    if message is None:
        return b": ping\n\n"
    event = json.loads(message["data"])
    return _line(event["event"], event["data"])


def _state(user: User, project_id: UUID) -> dict[str, Any]:
    """Figures and open jobs. Closes its connection: a stream must not hold one."""
    try:
        project, _ = project_for(user, project_id)
        figures = project_figures([project.pk])[project.pk]
        jobs = [job_event(job) for job in open_jobs(project.pk)]
        return {"counts": figures.counts, "cells": figures.cells, "jobs": jobs}
    finally:
        connection.close()


def _may_still_watch(user: User, project_id: UUID) -> bool:
    try:
        return role_in(user, project_id) is not None
    finally:
        connection.close()


def _line(event: str, data: Any) -> bytes:
    return f"event: {event}\ndata: {json.dumps(data, default=str)}\n\n".encode()
