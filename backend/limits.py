"""How much a client may send. Enforced before Django, which would take a whole body in before any view looks at it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

MULTIPART_OVERHEAD = 64 * 1024


class BodyLimit:
    """ASGI middleware: 413 for a body that is declared too long, or turns out to be."""

    def __init__(self, app: App, *, upload_bytes: int, other_bytes: int) -> None:
        self._app = app
        self._upload_bytes = upload_bytes + MULTIPART_OVERHEAD
        self._other_bytes = other_bytes

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        is_upload = headers.get(b"content-type", b"").startswith(b"multipart/form-data")
        limit = self._upload_bytes if is_upload else self._other_bytes
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            await _refuse(send, limit)
            return
        await self._counted(scope, receive, send, limit)

    async def _counted(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send, limit: int
    ) -> None:
        received, refused = 0, False

        async def counting_receive() -> Message:
            nonlocal received, refused
            message = await receive()
            received += len(message.get("body", b""))
            if received <= limit:
                return message
            if not refused:
                refused = True
                await _refuse(send, limit)
            return {"type": "http.disconnect"}

        async def guarded_send(message: Message) -> None:
            if not refused:
                await send(message)

        await self._app(scope, counting_receive, guarded_send)


async def _refuse(send: Send, limit: int) -> None:
    detail = f"The request is larger than {limit // 2**20} MB."
    body = json.dumps({"code": "too_large", "detail": detail}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
