"""A user's own keys and looks."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.factories import World

DEFAULTS = {"keys": {"preset": "cellloop", "overrides": {}}, "looks": {}}
MINE = {
    "keys": {"preset": "napari", "overrides": {"tool.brush": ["b", "Shift+B"], "view.peek": []}},
    "looks": {"fillOpacity": 0.4, "outlineOnly": True, "colourBy": "class", "peek": None, "step": 3},
}


def put(client: APIClient, body: Any) -> Any:
    # json.dumps escapes what UTF-8 cannot carry, as a browser does.
    return client.put("/api/me/preferences", json.dumps(body), content_type="application/json")


def test_they_come_back_as_they_were_put(world: World, as_bob: APIClient, as_alice: APIClient):
    assert as_bob.get("/api/me/preferences").json() == DEFAULTS
    assert put(as_bob, MINE).json() == MINE
    assert as_bob.get("/api/me/preferences").json() == MINE
    assert as_alice.get("/api/me/preferences").json() == DEFAULTS


def test_putting_replaces_all(world: World, as_bob: APIClient):
    put(as_bob, MINE)
    put(as_bob, {"keys": {"preset": "cellpose"}})
    assert as_bob.get("/api/me/preferences").json() == {
        "keys": {"preset": "cellpose", "overrides": {}},
        "looks": {},
    }


def keys(**overrides: Any) -> dict[str, Any]:
    return {"keys": {"preset": "napari", "overrides": overrides}}


def looks(**values: Any) -> dict[str, Any]:
    return {"keys": {"preset": "napari"}, "looks": values}


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"keys": {"preset": "emacs"}},
        {"keys": []},
        keys(brush="b"),
        keys(brush=["b"] * 5),
        keys(brush=[""]),
        keys(brush=["x" * 41]),
        keys(brush=[{}]),
        keys(**{"x" * 65: ["b"]}),
        keys(**{"": ["b"]}),
        keys(**{f"command{n}": ["b"] for n in range(301)}),
        looks(opacity=[1]),
        looks(opacity={"a": 1}),
        looks(name="x" * 201),
        looks(name="\x00"),
        looks(name="\ud800"),
        looks(huge=10**400),
        looks(**{f"look{n}": 1 for n in range(101)}),
    ],
)
def test_what_has_no_place_there_is_refused(world: World, as_bob: APIClient, body: Any):
    put(as_bob, MINE)
    answer = put(as_bob, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert as_bob.get("/api/me/preferences").json() == MINE


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999"])
def test_numbers_without_an_end_are_refused(world: World, as_bob: APIClient, number: bytes):
    body = b'{"keys": {"preset": "napari"}, "looks": {"opacity": %s}}' % number
    answer = as_bob.put("/api/me/preferences", body, content_type="application/json")
    assert answer.status_code == 400
