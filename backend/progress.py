"""How far the images of a fresh demo are, asked over HTTP as a browser would."""

import http.cookiejar
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

WAITING = ("queued", "segmenting")


@dataclass(frozen=True)
class Progress:
    """Images done (well or badly), failed among them, and in all."""

    done: int
    failed: int
    total: int


class ProgressReader:
    """Logged in to a running stack as the first admin."""

    def __init__(self, url: str, password: str) -> None:
        """Raises urllib.error.HTTPError when the password is no longer this one."""
        self._url = url
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)
        csrf = self._ask("/api/session")["csrf"]
        self._ask("/api/session", {"username": "admin", "password": password}, csrf)

    def read(self) -> Progress:
        """Over all projects that the admin sees."""
        counts = [project["counts"] for project in self._ask("/api/projects")]
        total = sum(count["total"] for count in counts)
        waiting = sum(count[status] for count in counts for status in WAITING)
        return Progress(total - waiting, sum(count["failed"] for count in counts), total)

    def _ask(self, path: str, body: dict[str, str] | None = None, csrf: str = "") -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own address
            self._url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "X-CSRFToken": csrf, "Referer": self._url},
        )
        with self._opener.open(request, timeout=30) as answer:
            return json.load(answer)
