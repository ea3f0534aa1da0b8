"""Working together over HTTP: leases, stale edits with what was missed, notes, classes."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from labeling.models import Edit, Image, Presence
from labeling.selectors.cells import cell_states
from labeling.services.accounts import token_create
from labeling.services.notes import note_create
from tests.factories import World, adding, cell, make_ready_image, square

ALICES, BOBS = "tab-of-alice", "tab-of-bob-1"


@pytest.fixture
def image(world: World) -> Image:
    return make_ready_image(world.project)


def post(client: APIClient, image: Image, what: str, **body: Any) -> Any:
    return client.post(f"/api/images/{image.pk}/{what}", body, format="json")


def draw(client: APIClient, image: Image, *, base: int, x: int = 40, label: int = 4, **more: Any) -> Any:
    patch = adding(cell(square(x, 40), label=label)).to_json()
    return post(client, image, "edits", id=str(uuid4()), base_revision=base, patch=patch, **more)


def test_a_lease_is_held_seen_and_taken_over(image: Image, as_alice: APIClient, as_bob: APIClient):
    mine = post(as_bob, image, "lease", session=BOBS).json()
    assert (mine["mine"], mine["ttl_s"], mine["beat_s"], mine["revision"]) == (True, 30, 10, 1)
    theirs = post(as_alice, image, "lease", session=ALICES).json()
    assert theirs["mine"] is False
    assert theirs["holder"] == mine["holder"]
    assert (theirs["holder"]["name"], theirs["holder"]["session"], theirs["holder"]["editing"]) == (
        "bob", BOBS, True,
    )  # fmt: skip
    assert [(tab["name"], tab["editing"]) for tab in theirs["people"]] == [
        ("bob", True),
        ("Alice Adams", False),
    ]

    refused = draw(as_alice, image, base=1, session=ALICES)
    assert (refused.status_code, refused.json()["code"]) == (409, "lease_lost")
    assert refused.json()["holder"]["name"] == "bob"
    assert post(as_alice, image, "lease", session=ALICES, take_over=True).json()["mine"] is True
    assert draw(as_alice, image, base=1, session=ALICES).status_code == 200
    assert draw(as_bob, image, base=2, session=BOBS).json()["holder"]["name"] == "Alice Adams"


def test_a_page_that_closes_leaves(image: Image, as_alice: APIClient, as_bob: APIClient):
    post(as_bob, image, "lease", session=BOBS)
    assert post(as_bob, image, "leave", session=BOBS).status_code == 204
    assert post(as_alice, image, "lease", session=ALICES).json()["mine"] is True
    assert as_alice.delete(f"/api/images/{image.pk}/lease?session={ALICES}").status_code == 204
    assert post(as_bob, image, "lease", session=BOBS).json()["mine"] is True


def test_a_viewer_watches(image: Image, as_vera: APIClient):
    body = post(as_vera, image, "lease", session="tab-of-vera").json()
    assert (body["mine"], body["holder"], body["expires_at"], len(body["people"])) == (False, None, None, 1)
    assert post(as_vera, image, "lease", session="tab-of-vera", take_over=True).status_code == 403


def test_a_script_with_a_token_needs_no_lease(world: World, image: Image, as_alice: APIClient):
    _, secret = token_create(user=world.bob, name="script")
    script = APIClient()
    script.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    assert draw(script, image, base=1).status_code == 200
    post(as_alice, image, "lease", session=ALICES)
    assert draw(script, image, base=2, label=5).json()["code"] == "lease_lost"


def test_a_stale_edit_is_told_what_it_missed(image: Image, as_alice: APIClient, as_bob: APIClient):
    """Both versions are kept: the client has its own patch and gets the others', and puts one on the other."""
    draw(as_alice, image, base=1, x=30, label=4)
    draw(as_alice, image, base=2, x=50, label=5)
    stale = draw(as_bob, image, base=1, x=40, label=4)
    body = stale.json()
    assert (stale.status_code, body["code"], body["revision"], body["more"]) == (
        409,
        "stale_revision",
        3,
        False,
    )
    assert [edit["revision"] for edit in body["edits"]] == [2, 3]
    assert [edit["author"] for edit in body["edits"]] == ["Alice Adams", "Alice Adams"]
    after = as_bob.get(f"/api/images/{image.pk}/edits?after=1").json()["edits"]
    assert [edit["patch"] for edit in after] == [edit["patch"] for edit in body["edits"]]
    assert draw(as_bob, image, base=3, x=40, label=6).status_code == 200
    assert {state.box[0] for state in cell_states(image.pk).values()} == {0, 10, 20, 30, 40, 50}


def test_a_very_stale_edit_is_told_a_part(image: Image, world: World, as_bob: APIClient):
    patch = adding(cell(square(40, 40), label=4)).to_json()
    Edit.objects.bulk_create(
        Edit(image=image, revision=revision, author=world.alice, source="person", patch=patch)
        for revision in range(2, 54)
    )
    Image.objects.filter(pk=image.pk).update(revision=53)
    body = draw(as_bob, image, base=1).json()
    assert (len(body["edits"]), body["edits"][-1]["revision"], body["more"]) == (50, 51, True)


def test_the_history_has_the_class_key_whatever_was_stored(image: Image, as_bob: APIClient):
    edit = Edit.objects.get(image=image)
    for state in edit.patch["added"]:
        del state["class_id"]
    edit.save()
    (shown,) = as_bob.get(f"/api/images/{image.pk}/edits").json()["edits"]
    assert [state["class_id"] for state in shown["patch"]["added"]] == [None, None, None]


def test_an_edit_costs_as_many_queries_with_a_hundred_readers(world: World, image: Image, as_bob: APIClient):
    post(as_bob, image, "lease", session=BOBS)
    with CaptureQueriesContext(connection) as few:
        draw(as_bob, image, base=1, session=BOBS)
    later = timezone.now() + timedelta(minutes=1)
    Presence.objects.bulk_create(
        Presence(image=image, user=world.vera, session=f"tab-number-{number}", expires_at=later)
        for number in range(100)
    )
    with CaptureQueriesContext(connection) as many:
        assert draw(as_bob, image, base=2, label=5, session=BOBS).status_code == 200
    assert len(many) == len(few)


# --- notes -----------------------------------------------------------------------------------------------------------
def test_notes_are_left_resolved_and_taken_back(image: Image, as_alice: APIClient, as_bob: APIClient):
    cell_id = next(iter(cell_states(image.pk)))
    answer = post(as_bob, image, "notes", text=" Two cells? ", cell=cell_id)
    note = answer.json()
    assert answer.status_code == 201
    assert (note["text"], note["cell"], note["author"]["name"], note["mine"]) == (
        "Two cells?",
        cell_id,
        "bob",
        True,
    )
    post(as_alice, image, "notes", text="Blurred at the top")
    listed = as_alice.get(f"/api/images/{image.pk}/notes").json()["notes"]
    assert [(row["text"], row["mine"]) for row in listed] == [
        ("Two cells?", False),
        ("Blurred at the top", True),
    ]
    assert as_bob.get(f"/api/images/{image.pk}").json()["notes"] == 2

    resolved = as_alice.patch(f"/api/notes/{note['id']}", {"resolved": True}, format="json").json()
    assert (resolved["resolved_by"]["name"], resolved["resolved_at"] is None) == ("Alice Adams", False)
    assert as_bob.get(f"/api/images/{image.pk}").json()["notes"] == 1
    reopened = as_bob.patch(f"/api/notes/{note['id']}", {"resolved": False}, format="json").json()
    assert (reopened["resolved_by"], reopened["resolved_at"]) == (None, None)

    assert as_alice.delete(f"/api/notes/{note['id']}").status_code == 403
    assert as_bob.delete(f"/api/notes/{note['id']}").status_code == 204
    assert as_bob.get(f"/api/images/{image.pk}").json()["notes"] == 1


def test_a_note_outlives_its_cell(image: Image, as_bob: APIClient):
    state = next(iter(cell_states(image.pk).values()))
    post(as_bob, image, "notes", text="Debris", cell=state.id)
    patch = {"added": [], "updated": [], "removed": [state.to_json()]}
    assert post(as_bob, image, "edits", id=str(uuid4()), base_revision=1, patch=patch).status_code == 200
    (note,) = as_bob.get(f"/api/images/{image.pk}/notes").json()["notes"]
    assert note["cell"] == state.id


def test_a_note_may_be_on_a_cell_that_is_not_saved_yet_but_on_none_of_another_image(
    world: World, image: Image, as_bob: APIClient
):
    assert post(as_bob, image, "notes", text="New", cell=str(uuid4())).status_code == 201
    other = next(iter(cell_states(make_ready_image(world.project, seed=1).pk)))
    assert post(as_bob, image, "notes", text="Not here", cell=other).status_code == 400


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001, "\x00", "\ud800", None, []])
def test_a_note_without_words_is_refused(image: Image, as_bob: APIClient, text: Any):
    body = json.dumps({"text": text})  # which escapes what UTF-8 cannot carry
    answer = as_bob.post(f"/api/images/{image.pk}/notes", body, content_type="application/json")
    assert answer.status_code == 400


def test_notes_take_as_many_queries_for_many(world: World, image: Image, as_bob: APIClient):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            as_bob.get(f"/api/images/{image.pk}/notes")
        return len(queries)

    note_create(image=image, author=world.bob, text="One")
    few = asked()
    for number in range(5):
        note_create(image=image, author=world.alice, text=f"Note {number}")
    assert asked() == few


# --- classes ---------------------------------------------------------------------------------------------------------
def test_classes_are_made_used_and_archived(
    world: World, image: Image, as_alice: APIClient, as_bob: APIClient
):
    address = f"/api/projects/{world.project.pk}/classes"
    made = as_alice.post(address, {"name": "Dividing", "colour": "#FF8800", "key": 3}, format="json")
    assert made.status_code == 201
    row = made.json()
    assert (row["name"], row["colour"], row["key"], row["order"]) == ("Dividing", "#ff8800", 3, 0)
    taken = as_alice.post(address, {"name": "Dead", "colour": "#000000", "key": 3}, format="json")
    assert (taken.status_code, taken.json()["code"]) == (409, "key_taken")
    other = as_alice.post(address, {"name": "Dead", "colour": "#000000"}, format="json").json()
    ordered = as_alice.put(f"{address}/order", {"ids": [other["id"], row["id"]]}, format="json").json()
    assert [entry["id"] for entry in ordered["classes"]] == [other["id"], row["id"]]

    patch = adding(cell(square(40, 40), label=4, class_id=row["id"])).to_json()
    assert post(as_bob, image, "edits", id=str(uuid4()), base_revision=1, patch=patch).status_code == 200
    cells = as_bob.get(f"/api/images/{image.pk}/cells").json()["cells"]
    assert [state["class_id"] for state in cells] == [None, None, None, row["id"]]
    counts = [{"class_id": None, "cells": 3}, {"class_id": row["id"], "cells": 1}]
    assert as_bob.get(f"/api/images/{image.pk}/classes").json() == {"classes": counts}
    assert as_bob.get(f"/api/projects/{world.project.pk}/class-counts").json() == {"classes": counts}

    archived = as_alice.delete(f"/api/classes/{row['id']}").json()
    assert (archived["deleted"], archived["cell_class"]["archived"]) == (False, True)
    assert as_alice.delete(f"/api/classes/{other['id']}").json() == {"deleted": True, "cell_class": None}
    (left,) = as_bob.get(address).json()["classes"]
    assert left["archived"] is True


def test_a_class_of_another_project_is_refused(world: World, image: Image, as_bob: APIClient):
    patch = adding(cell(square(40, 40), label=4, class_id=str(uuid4()))).to_json()
    answer = post(as_bob, image, "edits", id=str(uuid4()), base_revision=1, patch=patch)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_patch")
