"""A person at the HTTP API: what the browser does, with `requests`."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

JsonObject = dict[str, Any]
SETTLED = {"ready", "failed", "needs_channels", "in_progress", "submitted"}
FINISHED_RUN = {"promoted", "rejected", "not_enough_evidence", "failed"}


class TimedOut(AssertionError):
    """Something did not happen in the time a person would wait for it."""


class Person:
    """One logged-in session against a running stack."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self.url = url.rstrip("/")
        self.session = requests.Session()
        # The server closes idle connections; a read that meets the closing asks again.
        again = Retry(total=3, backoff_factor=0.2, allowed_methods={"GET"}, raise_on_status=False)
        self.session.mount("http://", HTTPAdapter(max_retries=again))
        self.session.headers["Origin"] = self.url
        csrf = self.session.get(f"{self.url}/api/session", timeout=60).json()["csrf"]
        answer = self.session.post(
            f"{self.url}/api/session",
            json={"username": username, "password": password},
            headers={"X-CSRFToken": csrf},
            timeout=60,
        )
        answer.raise_for_status()

    def request(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """The raw response; CSRF token included. `path` starts after /api/."""
        token = self.session.cookies.get("csrftoken") or ""
        return self.session.request(
            method, f"{self.url}/api/{path}", headers={"X-CSRFToken": token}, timeout=120, **kwargs
        )

    def get(self, path: str, **kwargs: Any) -> Any:
        return checked(self.request("GET", path, **kwargs)).json()

    def post(self, path: str, body: Any = None) -> Any:
        return checked(self.request("POST", path, json={} if body is None else body)).json()

    def put(self, path: str, body: Any) -> Any:
        return checked(self.request("PUT", path, json=body)).json()

    def project(self, name: str, **settings: Any) -> str:
        """The id of a new project that maps one grey channel to the nuclei."""
        project_id = str(self.post("projects", {"name": name})["id"])
        if settings:
            checked(self.request("PATCH", f"projects/{project_id}", json=settings))
        return project_id

    def upload(self, project_id: str, name: str, content: bytes) -> requests.Response:
        return self.request("POST", f"projects/{project_id}/images", files={"file": (name, content)})

    def image(self, image_id: str) -> JsonObject:
        found: JsonObject = self.get(f"images/{image_id}")
        return found

    def images(self, project_id: str) -> list[JsonObject]:
        """All images of a project, through the pages of the list."""
        found: list[JsonObject] = []
        cursor: str | None = None
        while True:
            page = self.get(f"projects/{project_id}/images", params={"cursor": cursor} if cursor else {})
            found += page["results"]
            cursor = page["next"]
            if cursor is None:
                return found

    def wait_settled(self, image_id: str, *, seconds: float = 120) -> JsonObject:
        """The image once no background work is left to do on it."""

        def look() -> JsonObject | None:
            image = self.image(image_id)
            return image if image["status"] in SETTLED else None

        return wait_for(look, seconds=seconds, what=f"image {image_id} to settle")

    def wait_all_settled(self, project_id: str, *, seconds: float = 240) -> list[JsonObject]:
        def look() -> list[JsonObject] | None:
            images = self.images(project_id)
            return images if all(image["status"] in SETTLED for image in images) else None

        return wait_for(look, seconds=seconds, what="all images to settle")

    def cells(self, image_id: str) -> JsonObject:
        found: JsonObject = self.get(f"images/{image_id}/cells")
        return found

    def edit(self, image_id: str, *, base_revision: int, patch: JsonObject) -> JsonObject:
        body = {"id": str(uuid.uuid4()), "base_revision": base_revision, "patch": patch}
        saved: JsonObject = self.post(f"images/{image_id}/edits", body)
        return saved

    def decode(self, image_id: str, box: list[float]) -> requests.Response:
        return self.request("POST", f"images/{image_id}/decode", json={"box": box})

    def mask(self, image_id: str, box: list[float], *, seconds: float = 60) -> JsonObject:
        """The answer to a box; asked again, as the page does, while the model is busy or the features are made."""

        def look() -> JsonObject | None:
            answer = self.decode(image_id, box)
            if answer.status_code == 503:
                time.sleep(float(answer.headers["Retry-After"]))
                return None
            found: JsonObject = checked(answer).json()
            return found

        found: JsonObject = wait_for(look, seconds=seconds, what="a mask")
        return found

    def train(self, project_id: str, *, seconds: float = 240) -> JsonObject:
        """The finished run of a training started by hand."""
        run_id = self.post(f"projects/{project_id}/training-runs")["id"]

        def look() -> JsonObject | None:
            runs = self.get(f"projects/{project_id}/model")["runs"]
            (run,) = [run for run in runs if run["id"] == run_id]
            return run if run["decision"] in FINISHED_RUN else None

        return wait_for(look, seconds=seconds, what="the training run to finish")


def checked(answer: requests.Response) -> requests.Response:
    """The response itself, if it is a success; else an error that shows what the server said."""
    assert answer.ok, f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:500]}"
    return answer


def wait_for(look: Callable[[], Any], *, seconds: float, what: str, every: float = 0.25) -> Any:
    """The first answer of `look` that is not None. Raises TimedOut."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(every)
    raise TimedOut(f"waited {seconds:.0f} s for {what}")


def cell(label: int, box: tuple[int, int, int, int], rle: list[int]) -> JsonObject:
    """A person's cell as it stands in a patch."""
    return {
        "id": str(uuid.uuid4()),
        "label": label,
        "box": list(box),
        "rle": list(rle),
        "score": None,
        "source": "person",
        "model_version": None,
        "class_id": None,
    }
