"""How much a client may send."""

import asyncio
import json
from typing import Any

import pytest

from backend.limits import MULTIPART_OVERHEAD, BodyLimit

Scope = dict[str, Any]


class Echo:
    """An application that reads the whole body and says how much it was."""

    def __init__(self) -> None:
        self.read = 0
        self.disconnected = False

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnected = True
                return
            self.read += len(message["body"])
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


def ask(
    chunks: list[bytes], *, declared: int | None = None, kind: bytes = b"application/json"
) -> tuple[Echo, list[Any]]:
    app, sent = Echo(), []
    headers = [(b"content-type", kind)]
    if declared is not None:
        headers.append((b"content-length", str(declared).encode()))
    messages = [
        {"type": "http.request", "body": chunk, "more_body": n < len(chunks) - 1}
        for n, chunk in enumerate(chunks)
    ]

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    limited = BodyLimit(app, upload_bytes=1000, other_bytes=100)
    asyncio.run(limited({"type": "http", "headers": headers}, receive, send))
    return app, sent


def test_it_works():
    app, sent = ask([b"x" * 60, b"x" * 40], declared=100)
    assert (app.read, sent[0]["status"]) == (100, 200)


def test_a_body_declared_too_long_is_refused_unread():
    app, sent = ask([b"x"], declared=101)
    assert (app.read, sent[0]["status"]) == (0, 413)
    assert json.loads(sent[1]["body"])["code"] == "too_large"


@pytest.mark.parametrize("declared", [None, 10])
def test_a_body_that_turns_out_too_long_is_refused(declared: int | None):
    app, sent = ask([b"x" * 60, b"x" * 60, b"x" * 60], declared=declared)
    assert app.disconnected
    assert app.read == 60
    assert [message.get("status") for message in sent] == [413, None]


def test_an_upload_may_be_larger():
    size = 1000 + MULTIPART_OVERHEAD
    kind = b"multipart/form-data; boundary=x"
    assert ask([b"x" * size], declared=size, kind=kind)[1][0]["status"] == 200
    assert ask([b"x" * size], declared=size + 1, kind=kind)[1][0]["status"] == 413
