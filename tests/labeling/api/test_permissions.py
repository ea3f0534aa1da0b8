"""Every address of the API, asked by nobody, by a stranger and by members: the table must name them all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from labeling.models import Image, JobKind, Role, TrainingRun
from labeling.services.classes import class_create
from labeling.services.notes import note_create
from labeling.services.submissions import image_submit
from labeling.services.training import training_start
from tests.factories import World, make_proposal, make_ready_image, make_series, make_tuned, square
from tests.labeling.conftest import Login

OPEN = "anyone"  # tells nothing of a project
ANY_USER = "any user"  # the user's own things alone


@dataclass(frozen=True)
class Endpoint:
    path: str
    method: str
    who: str  # OPEN, ANY_USER, or the least role
    body: dict[str, Any] | None = None


EDIT = {"id": str(uuid4()), "base_revision": 0, "patch": {"added": [], "updated": [], "removed": []}}
ACCEPT = {"id": str(uuid4()), "base_revision": 99, "mode": "add"}
MAP = {"nuclear": None, "whole_cell": None, "rgb": True}
TABLE = [
    Endpoint("session", "get", OPEN),
    Endpoint("session", "delete", OPEN),
    Endpoint("session", "post", OPEN, {"username": "x", "password": "x"}),
    Endpoint("tokens", "get", ANY_USER),
    Endpoint("tokens", "post", ANY_USER, {}),
    Endpoint("tokens/{token}", "delete", ANY_USER),
    Endpoint("schema", "get", ANY_USER),
    Endpoint("me/preferences", "get", ANY_USER),
    Endpoint("me/preferences", "put", ANY_USER, {"keys": {"preset": "napari"}}),
    Endpoint("projects", "get", ANY_USER),
    Endpoint("projects", "post", ANY_USER, {"name": "Mine"}),
    Endpoint("projects/{project}", "get", Role.VIEWER),
    Endpoint("projects/{project}", "patch", Role.ADMIN, {"name": "New"}),
    Endpoint("projects/{project}", "delete", Role.OWNER),
    Endpoint("projects/{project}/members", "get", Role.VIEWER),
    Endpoint("projects/{project}/members", "post", Role.ADMIN, {"username": "charlie", "role": "viewer"}),
    Endpoint("projects/{project}/members/{user}", "patch", Role.ADMIN, {"role": "viewer"}),
    Endpoint("projects/{project}/members/{user}", "delete", Role.ADMIN),
    Endpoint("projects/{project}/channel-map", "put", Role.ANNOTATOR, MAP),
    Endpoint("projects/{project}/images", "get", Role.VIEWER),
    Endpoint("projects/{project}/images", "post", Role.ANNOTATOR, {}),
    Endpoint("projects/{project}/classes", "get", Role.VIEWER),
    Endpoint("projects/{project}/classes", "post", Role.ADMIN, {"name": "Dividing", "colour": "#ff0000"}),
    Endpoint("projects/{project}/classes/order", "put", Role.ADMIN, {"ids": []}),
    Endpoint("projects/{project}/class-counts", "get", Role.VIEWER),
    Endpoint("classes/{cell_class}", "patch", Role.ADMIN, {"name": "Dead"}),
    Endpoint("classes/{cell_class}", "delete", Role.ADMIN),
    Endpoint("projects/{project}/queue", "get", Role.VIEWER),
    Endpoint("projects/{project}/events", "get", Role.VIEWER),
    Endpoint("projects/{project}/model", "get", Role.VIEWER),
    Endpoint("projects/{project}/active-version", "put", Role.ADMIN, {"version": str(uuid4())}),
    Endpoint("projects/{project}/loop-settings", "put", Role.ADMIN, {"deep": False}),
    Endpoint("projects/{project}/proof.csv", "get", Role.VIEWER),
    Endpoint("projects/{project}/model-versions/import", "post", Role.ADMIN, {}),
    Endpoint("model-versions/{version}/checkpoint", "get", Role.VIEWER),
    Endpoint("projects/{project}/training-runs", "post", Role.ADMIN),
    Endpoint("training-runs/{run}/cancel", "post", Role.ADMIN),
    Endpoint("images/{image}", "get", Role.VIEWER),
    Endpoint("images/{image}", "delete", Role.ADMIN),
    Endpoint("images/{image}/tiles/0/0/0/0", "get", Role.VIEWER),
    Endpoint("images/{image}/thumbnail", "get", Role.VIEWER),
    Endpoint("images/{image}/outlines", "get", Role.VIEWER),
    Endpoint("images/{image}/cells", "get", Role.VIEWER),
    Endpoint("images/{image}/cells/{cell}/history", "get", Role.VIEWER),
    Endpoint("images/{image}/edits", "get", Role.VIEWER),
    Endpoint("images/{image}/edits", "post", Role.ANNOTATOR, EDIT),
    Endpoint("images/{image}/decode", "post", Role.ANNOTATOR, {"box": [5, 5, 1, 1]}),
    Endpoint("images/{image}/compare", "post", Role.ANNOTATOR, {"versions": []}),
    Endpoint("images/{image}/submit", "post", Role.ANNOTATOR, {"revision": 99}),
    Endpoint("images/{image}/segment", "post", Role.ANNOTATOR),
    Endpoint("images/{image}/export?format=coco", "get", Role.VIEWER),
    Endpoint("images/{image}/classes", "get", Role.VIEWER),
    Endpoint("images/{image}/notes", "get", Role.VIEWER),
    Endpoint("images/{image}/notes", "post", Role.ANNOTATOR, {"text": "Blurred?"}),
    Endpoint("notes/{note}", "patch", Role.ANNOTATOR, {"resolved": True}),
    Endpoint("notes/{own_note}", "delete", Role.ANNOTATOR),
    Endpoint("images/{image}/lease", "post", Role.VIEWER, {"session": "a-tab-of-mine"}),
    Endpoint("images/{image}/lease", "delete", Role.VIEWER),
    Endpoint("images/{image}/leave", "post", Role.VIEWER, {"session": "a-tab-of-mine"}),
    Endpoint("images/{image}/skip", "post", Role.ANNOTATOR, {"reason": "Blurred"}),
    Endpoint("images/{image}/skip", "delete", Role.ANNOTATOR),
    Endpoint("images/{image}/warm", "post", Role.ANNOTATOR),
    Endpoint("images/{image}/proposals", "get", Role.VIEWER),
    Endpoint("proposals/{proposal}/accept", "post", Role.ANNOTATOR, ACCEPT),
    Endpoint("proposals/{proposal}/dismiss", "post", Role.ANNOTATOR),
    Endpoint("series/{series}", "get", Role.VIEWER),
    Endpoint("series/{series}", "delete", Role.ADMIN),
    Endpoint("jobs/{job}/cancel", "post", Role.ANNOTATOR),
    Endpoint("jobs/{training}/cancel", "post", Role.ADMIN),
]
SCOPED = [endpoint for endpoint in TABLE if endpoint.who not in (OPEN, ANY_USER)]
# Streams and decoding close the connection of the test's transaction: their files test them on their own.
ASYNC = ("events", "decode", "compare")
IN_TRANSACTION = [e for e in SCOPED if not e.path.endswith(ASYNC)]


def name(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


class Addresses(dict[str, Any]):
    """What the paths name, each thing made when the first path asks for it."""

    def __init__(self, world: World) -> None:
        super().__init__(project=world.project.pk, user=world.bob.pk, token=uuid4(), cell=uuid4())
        self.world = world

    def __missing__(self, name: str) -> Any:
        self[name] = MAKERS[name](self)
        return self[name]

    def images(self) -> Image:
        return Image.objects.get(pk=self["image"])


def submitted_image(made: Addresses) -> Any:
    image = make_ready_image(made.world.project)
    return image_submit(image_id=image.pk, by=made.world.bob, revision=1).pk


def run(made: Addresses) -> Any:
    for index in (1, 2):
        image = make_ready_image(made.world.project, seed=index)
        image_submit(image_id=image.pk, by=made.world.bob, revision=1)
    return training_start(project_id=made.world.project.pk, reason="manual").pk


MAKERS: dict[str, Callable[[Addresses], Any]] = {
    "image": submitted_image,
    "run": run,
    "version": lambda made: make_tuned(made.world.project).pk,
    "job": lambda made: made.images().jobs.get(kind=JobKind.SEGMENT).pk,
    "training": lambda made: TrainingRun.objects.get(pk=made["run"]).job_id,
    "cell_class": lambda made: class_create(project=made.world.project, name="Dead", colour="#000000").pk,
    "note": lambda made: note_create(image=made.images(), author=made.world.bob, text="Look here").pk,
    # Of Charlie, who becomes a member of each role: a note is deleted by its author alone.
    "own_note": lambda made: note_create(image=made.images(), author=made.world.charlie, text="Mine").pk,
    "proposal": lambda made: make_proposal(made.images(), [square(40, 40)]).pk,
    "series": lambda made: make_series(made.world.project).pk,
}


@pytest.fixture
def addresses(world: World) -> Addresses:
    return Addresses(world)


def ask(client: APIClient, endpoint: Endpoint, addresses: Addresses) -> Any:
    form = "multipart" if endpoint.path.endswith(("/images", "/import")) else "json"
    call = getattr(client, endpoint.method)
    path = "/api/" + endpoint.path.format_map(addresses)
    return call(path) if endpoint.method == "get" else call(path, endpoint.body or {}, format=form)


def test_the_table_names_every_address():
    """A new view that is not in the table fails here, before anybody can forget its permission."""
    written = {(blank(endpoint.path), endpoint.method) for endpoint in TABLE}
    assert written == set(served())


def blank(path: str) -> str:
    import re

    path = path.split("?")[0].replace("/0/0/0/0", "/<>/<>/<>/<>")
    return re.sub(r"\{\w+\}", "<>", path)


def served() -> list[tuple[str, str]]:
    import re

    found = []
    for pattern in api_patterns():
        view = getattr(pattern.callback, "cls", None)
        path = re.sub(r"<[^>]*>", "<>", str(pattern.pattern))
        for method in ("get", "post", "put", "patch", "delete"):
            if view is not None and hasattr(view, method):
                found.append((path, method))
    return found


def api_patterns() -> list[URLPattern]:
    for pattern in get_resolver().url_patterns:
        if isinstance(pattern, URLResolver) and str(pattern.pattern) == "api/":
            return [child for child in pattern.url_patterns if isinstance(child, URLPattern)]
    return []


@pytest.mark.parametrize(
    "endpoint", [e for e in TABLE if e.who != OPEN and not e.path.endswith(ASYNC)], ids=name
)
def test_nobody_gets_in_without_logging_in(endpoint: Endpoint, addresses: Addresses):
    answer = ask(APIClient(), endpoint, addresses)
    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"


@pytest.mark.parametrize("endpoint", IN_TRANSACTION, ids=name)
def test_a_stranger_is_told_that_it_does_not_exist(
    endpoint: Endpoint, addresses: Addresses, as_charlie: APIClient
):
    answer = ask(as_charlie, endpoint, addresses)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("endpoint", IN_TRANSACTION, ids=name)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANNOTATOR, Role.ADMIN])
def test_a_member_may_do_what_the_role_says(
    endpoint: Endpoint, role: Role, addresses: Addresses, world: World, login: Login
):
    from labeling.models import Membership
    from labeling.selectors.access import RANKS

    Membership.objects.create(project=world.project, user=world.charlie, role=role)
    answer = ask(login(world.charlie), endpoint, addresses)
    allowed = RANKS[role] >= RANKS[Role(endpoint.who)]
    assert (answer.status_code == 403) is not allowed
    assert answer.status_code < 500
    assert answer.status_code != 404 or "version" in str(endpoint.body)


def test_an_unknown_id_and_a_strangers_look_the_same(addresses: Addresses, as_charlie: APIClient):
    theirs = as_charlie.get(f"/api/images/{addresses['image']}")
    nobodys = as_charlie.get(f"/api/images/{uuid4()}")
    assert theirs.json() == nobodys.json()


def test_a_stranger_sees_no_project(world: World, as_charlie: APIClient):
    assert as_charlie.get("/api/projects").json() == []


def test_staff_are_strangers_too(addresses: Addresses, login: Login):
    """An admin of the installation manages users; other people's images need an invitation like anyone's."""
    from tests.factories import make_user

    staff = make_user("root", is_staff=True, is_superuser=True)
    assert login(staff).get(f"/api/images/{addresses['image']}").status_code == 404


def test_someone_who_was_taken_out_is_a_stranger_at_once(
    addresses: Addresses, world: World, as_alice: APIClient, as_bob: APIClient
):
    assert as_bob.get(f"/api/images/{addresses['image']}").status_code == 200
    as_alice.delete(f"/api/projects/{world.project.pk}/members/{world.bob.pk}")
    assert as_bob.get(f"/api/images/{addresses['image']}").status_code == 404


def test_an_unknown_address_is_json(world: World, as_alice: APIClient):
    answer = as_alice.get("/api/nothing/here")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
