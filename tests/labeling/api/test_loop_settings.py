"""The loop's settings and its state, as the model page shows them."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from labeling.models import Project
from labeling.services.activation import version_activate
from labeling.services.jobs import job_claim
from tests.factories import World, make_ready_image, make_tuned
from tests.labeling.services.test_training import complete, submit_two, submit_with_corrections, trained


def put(client: APIClient, world: World, **values: object):
    return client.put(f"/api/projects/{world.project.pk}/loop-settings", values, format="json")


def test_it_works(world: World, as_alice: APIClient):
    values = {
        "correction_threshold": 100, "train_schedule": "0 2 * * *", "blind_held_out": False, "held_out_target": 8,
        "presegmentation": "never", "deep": True,
    }  # fmt: skip
    page = put(as_alice, world, **values).json()
    assert page["settings"] == values
    assert page["schedule"] == "0 2 * * *"
    assert page["presegmentation"]["shown"] is False
    assert "switched off" in page["presegmentation"]["reason"]


def test_what_is_not_given_stays(world: World, as_alice: APIClient):
    put(as_alice, world, deep=True)
    page = put(as_alice, world, correction_threshold=7).json()["settings"]
    assert (page["deep"], page["correction_threshold"], page["presegmentation"]) == (True, 7, "auto")


@pytest.mark.parametrize(
    "values",
    [
        {"correction_threshold": 0}, {"train_schedule": "61 * * * *"}, {"train_schedule": "0 " * 60},
        {"presegmentation": "x"}, {"held_out_target": -1}, {"deep": "maybe"},
    ],
    ids=lambda values: f"{values}",
)  # fmt: skip
def test_it_refuses_what_cannot_be(world: World, as_alice: APIClient, values: dict[str, object]):
    assert put(as_alice, world, **values).status_code == 400
    assert Project.objects.get(pk=world.project.pk).correction_threshold == 200


def page_of(client: APIClient, world: World):
    return client.get(f"/api/projects/{world.project.pk}/model").json()


def test_the_page_says_why_nothing_trains(world: World, as_alice: APIClient):
    submit_with_corrections(world, seed=0)
    training = page_of(as_alice, world)["training"]
    assert training["can_start"] is False
    assert training["reason"].startswith("Only 1 submitted image")
    refused = as_alice.post(f"/api/projects/{world.project.pk}/training-runs")
    assert (refused.status_code, refused.json()["detail"]) == (400, training["reason"])
    submit_with_corrections(world, seed=1)
    training = page_of(as_alice, world)["training"]
    assert (training["can_start"], training["reason"]) == (True, "")
    assert training["automatic_reason"].startswith("2 cells of the training part were corrected")


def test_the_page_shows_a_version_that_waits(world: World, as_alice: APIClient):
    make_ready_image(world.project)
    version = make_tuned(world.project, rung=3, trunk_hash="other")
    version_activate(project_id=world.project.pk, version_id=version.pk, by=world.alice)
    page = page_of(as_alice, world)
    assert page["pending"]["version"]["name"] == "v1"
    assert {one["name"]: one["state"] for one in page["versions"]} == {"v1": "pending", "tiny 1": "active"}


def test_a_run_shows_its_candidates_and_each_version_what_it_is(world: World, as_alice: APIClient):
    submit_two(world)
    as_alice.post(f"/api/projects/{world.project.pk}/training-runs")
    run = world.project.runs.get()
    claim = job_claim(job_id=run.job_id)
    assert claim is not None
    complete(run, claim, trained(40), trained(45, rung=2))  # type: ignore[arg-type]
    page = page_of(as_alice, world)
    shown = page["runs"][0]
    assert [(one["rung"], one["status"]) for one in shown["candidates"]] == [(1, "rejected"), (2, "promoted")]
    assert (shown["rungs"], shown["evaluation"]["all"]["images"]) == ([1], 6)
    gate = page["active"]["evaluation"]["gate"]
    assert (gate["images"], gate["clusters"], gate["ap50"]["active"]) == (6, 6, 0.0)
    assert page["active"]["snapshot"] == {"images": 2, "train": 2, "held_out": 0}
    assert (page["active"]["run"], page["active"]["config"]) == (str(run.pk), {"epochs": 3})


def test_runs_of_earlier_releases_lack_figures(world: World, as_alice: APIClient):
    submit_two(world)
    as_alice.post(f"/api/projects/{world.project.pk}/training-runs")
    run = world.project.runs.get()
    old = {"f1": 0.5, "precision": 0.5, "recall": 0.5, "miou": 0.5, "count_error": 0.1}
    gate: dict[str, Any] = {
        "outcome": "rejected",
        "reason": "Not better.",
        "f1": None,
        "miou": None,
        "groups": {},
    }
    world.project.runs.update(
        evaluation={"active": old, "candidate": old, "images": 5, "gate": gate, "per_image": {}}
    )
    shown = page_of(as_alice, world)["runs"][0]["evaluation"]
    assert (shown["active"]["ap50"], shown["all"], shown["gate"]["clusters"]) == (None, None, None)
    assert run.pk
