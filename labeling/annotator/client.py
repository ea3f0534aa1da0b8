"""The HTTP API as a script uses it: a token, JSON, and the patience that the page has."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

from labeling.rle import BoxMask

Json = dict[str, Any]
REQUEST_S = 120  # of one request
PATIENCE_S = 600  # while the model is busy, or features are computed anew
RECONNECT_S = 30  # of reads, while the server does not answer at all
POLL_S = 1.0


class Refused(RuntimeError):
    """The server answered with an error; ``code`` and the message are its own."""

    def __init__(self, asked: str, status: int, body: bytes) -> None:
        try:
            said = json.loads(body)
        except ValueError:
            said = {}
        self.status = status
        self.code = str(said.get("code", ""))
        super().__init__(f"{asked}: {status} {said.get('detail', body[:300].decode(errors='replace'))}")


class Client:
    """One person at a server. Reads are repeated when the connection breaks, and everything when it is busy (503)."""

    def __init__(self, url: str, token: str) -> None:
        """Raises ValueError unless ``url`` is one of HTTP."""
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{url} is not the address of a server")
        self._api = f"{url.rstrip('/')}/api/"
        self._headers = {"Authorization": f"Token {token}"}

    def get(self, path: str, **query: str) -> Any:
        return self._json("GET", f"{path}?{urllib.parse.urlencode(query)}" if query else path)

    def post(self, path: str, body: Json | None = None) -> Any:
        return self._json("POST", path, body or {})

    def put(self, path: str, body: Json) -> Any:
        return self._json("PUT", path, body)

    def patch(self, path: str, body: Json) -> Any:
        return self._json("PATCH", path, body)

    def delete(self, path: str) -> None:
        self._send("DELETE", path, None, {})

    def upload(self, project_id: str, name: str, content: bytes) -> Json:
        """The image that became of a file."""
        boundary = uuid4().hex
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        image: Json = json.loads(self._send("POST", f"projects/{project_id}/images", body, kind))
        return image

    def images(self, project_id: str) -> Iterator[Json]:
        """All images of a project, in the order of uploading, through the pages of the list."""
        query: Mapping[str, str] = {}
        while True:
            page = self.get(f"projects/{project_id}/images", **query)
            yield from page["results"]
            if page["next"] is None:
                return
            query = {"cursor": page["next"]}

    def edits(self, image_id: str) -> Iterator[Json]:
        """The history of an image, oldest first."""
        revision, last = 0, 1
        while revision < last:
            page = self.get(f"images/{image_id}/edits", after=str(revision))
            yield from page["edits"]
            last = page["revision"]
            revision = page["edits"][-1]["revision"] if page["edits"] else last

    def decode(self, image_id: str, box: tuple[float, float, float, float]) -> BoxMask:
        """The model's mask for a box x0, y0, x1, y1 in image pixels."""
        answer = self.post(f"images/{image_id}/decode", {"box": list(box)})
        return BoxMask(tuple(answer["box"]), tuple(answer["rle"]))

    def edit(self, image_id: str, base_revision: int, patch: Json) -> int:
        """The revision after an edit."""
        body = {"id": str(uuid4()), "base_revision": base_revision, "patch": patch}
        return int(self.post(f"images/{image_id}/edits", body)["revision"])

    def _json(self, method: str, path: str, body: Json | None = None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        answer = self._send(method, path, sent, {"Content-Type": "application/json"})
        return json.loads(answer) if answer else None

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        """Raises Refused, and OSError if the server cannot be reached."""
        started = time.monotonic()
        while True:
            request = urllib.request.Request(  # noqa: S310 (HTTP alone: checked at the start)
                self._api + path, data=body, method=method, headers={**self._headers, **headers}
            )
            try:
                with urllib.request.urlopen(request, timeout=REQUEST_S) as answer:  # noqa: S310
                    return bytes(answer.read())
            except urllib.error.HTTPError as error:
                if error.code != 503 or time.monotonic() - started > PATIENCE_S:
                    raise Refused(f"{method} {path}", error.code, error.read()) from error
                time.sleep(float(error.headers.get("Retry-After") or POLL_S))
            except OSError:
                if method != "GET" or time.monotonic() - started > RECONNECT_S:
                    raise
                time.sleep(POLL_S)
