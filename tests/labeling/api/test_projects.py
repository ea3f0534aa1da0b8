"""Projects and members over HTTP."""

import pytest
from rest_framework.test import APIClient

from labeling.models import Project
from tests.factories import World, make_image, make_ready_image


def test_it_works(world: World, as_alice: APIClient):
    made = as_alice.post("/api/projects", {"name": "Tissue"}, format="json")
    assert made.status_code == 201
    assert {key: made.json()[key] for key in ("name", "role", "channel_map", "correction_threshold", "cells")} == {
        "name": "Tissue", "role": "owner", "channel_map": None, "correction_threshold": 200, "cells": 0,
    }  # fmt: skip
    assert made.json()["active_version"]["name"] == "tiny 1"
    assert made.json()["active_version"]["takes_points"] is False
    assert [project["name"] for project in as_alice.get("/api/projects").json()] == ["Tissue", "Nuclei"]


def test_figures_count_images_and_cells(world: World, as_vera: APIClient):
    make_ready_image(world.project, seed=0)
    make_image(world.project, seed=1)
    project = as_vera.get(f"/api/projects/{world.project.pk}").json()
    assert project["counts"] == {
        "total": 2, "queued": 1, "needs_channels": 0, "segmenting": 0, "ready": 1, "in_progress": 0, "submitted": 0,
        "failed": 0,
    }  # fmt: skip
    assert (project["cells"], project["role"]) == (3, "viewer")


def test_the_list_takes_as_many_queries_for_many_projects(
    world: World, as_alice: APIClient, django_assert_max_num_queries
):
    for n in range(5):
        as_alice.post("/api/projects", {"name": f"P{n}"}, format="json")
    with django_assert_max_num_queries(4):
        assert len(as_alice.get("/api/projects").json()) == 6


def test_settings_change_one_by_one(world: World, as_alice: APIClient):
    address = f"/api/projects/{world.project.pk}"
    assert as_alice.patch(address, {"train_schedule": "0 2 * * *"}, format="json").status_code == 200
    changed = as_alice.patch(address, {"correction_threshold": 50}, format="json").json()
    assert (changed["train_schedule"], changed["correction_threshold"]) == ("0 2 * * *", 50)


@pytest.mark.parametrize(
    "change", [{"correction_threshold": 0}, {"train_schedule": "at night"}, {"name": ""}, {"name": None}]
)
def test_settings_that_make_no_sense_are_refused(world: World, as_alice: APIClient, change):
    answer = as_alice.patch(f"/api/projects/{world.project.pk}", change, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_the_owner_deletes_the_project(world: World, as_alice: APIClient):
    make_ready_image(world.project)
    assert as_alice.delete(f"/api/projects/{world.project.pk}").status_code == 204
    assert not Project.objects.exists()


def test_members(world: World, as_alice: APIClient):
    address = f"/api/projects/{world.project.pk}/members"
    added = as_alice.post(address, {"username": "charlie", "role": "annotator"}, format="json")
    assert (added.status_code, added.json()["user"]["username"]) == (201, "charlie")
    changed = as_alice.patch(f"{address}/{world.charlie.pk}", {"role": "viewer"}, format="json")
    assert changed.json()["role"] == "viewer"
    assert as_alice.delete(f"{address}/{world.charlie.pk}").status_code == 204
    members = [(member["user"]["username"], member["role"]) for member in as_alice.get(address).json()]
    assert members == [("alice", "owner"), ("bob", "annotator"), ("vera", "viewer")]


def test_an_unknown_person_cannot_be_added(world: World, as_alice: APIClient):
    address = f"/api/projects/{world.project.pk}/members"
    answer = as_alice.post(address, {"username": "dora", "role": "viewer"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "no_such_user")
