"""The model page's data, and its buttons."""

import re

from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from labeling.models import Image
from labeling.services.jobs import job_claim
from tests.factories import World, make_ready_image
from tests.labeling.services.test_training import complete, submit_two, submit_with_corrections, trained

# Columns that are read as they are: each names all images of a run, so they grow with the project.
PER_IMAGE = re.compile(
    r'(?:SELECT |, )"(?:\w+"\."snapshot|labeling_trainingrun"\."evaluation)"(?:, | FROM )', re.IGNORECASE
)


def model(client: APIClient, world: World):
    return client.get(f"/api/projects/{world.project.pk}/model").json()


def start(client: APIClient, world: World):
    return client.post(f"/api/projects/{world.project.pk}/training-runs")


def test_it_works(world: World, as_vera: APIClient):
    for seed in range(4):
        make_ready_image(world.project, seed=seed)
    submit_with_corrections(world, seed=9, corrected=2)
    page = model(as_vera, world)
    assert page["active"]["name"] == "tiny 1"
    assert [(v["name"], v["state"], v["is_base"]) for v in page["versions"]] == [("tiny 1", "active", True)]
    corrections = page["corrections"]
    assert (corrections["since_last_run"], corrections["threshold"]) == (2, 200)
    assert {k: corrections[k] for k in ("false", "missed", "reshaped", "untouched")} == {
        "false": 2, "missed": 0, "reshaped": 0, "untouched": 1,
    }  # fmt: skip
    assert corrections["by_version"][0] == {
        "version": str(world.base.pk), "name": "tiny 1", "false": 2, "missed": 0, "reshaped": 0, "untouched": 1,
    }  # fmt: skip
    assert page["held_out"] == {"images": 1, "submitted": 0, "deciding": 0, "needed": 5}
    assert (page["run"], page["runs"]) == (None, [])


def test_a_run_from_start_to_promotion(world: World, as_alice: APIClient):
    submit_two(world)
    started = start(as_alice, world)
    assert started.status_code == 201
    assert (started.json()["reason"], started.json()["started_by"]) == ("manual", "Alice Adams")
    again = start(as_alice, world)
    assert (again.status_code, again.json()["code"]) == (409, "training_is_open")
    assert model(as_alice, world)["run"]["job"]["status"] == "queued"

    run = world.project.runs.get()
    claim = job_claim(job_id=run.job_id)
    assert claim is not None
    complete(run, claim)

    page = model(as_alice, world)
    assert page["run"] is None
    assert (page["active"]["name"], page["runs"][0]["decision"]) == ("v1", "promoted")
    assert page["runs"][0]["evaluation"]["candidate"]["f1"] == 0.8
    assert page["runs"][0]["evaluation"]["gate"]["f1"]["low"] > 0.1
    assert {v["name"]: v["state"] for v in page["versions"]} == {"v1": "active", "tiny 1": "earlier"}


def test_nothing_to_train_on_says_why(world: World, as_alice: APIClient):
    answer = start(as_alice, world)
    assert (answer.status_code, answer.json()["code"]) == (400, "not_enough_data")
    assert "submitted" in answer.json()["detail"]


def test_a_run_can_be_cancelled(world: World, as_alice: APIClient):
    submit_two(world)
    run = start(as_alice, world).json()
    answer = as_alice.post(f"/api/training-runs/{run['id']}/cancel")
    assert (answer.json()["decision"], answer.json()["decision_reason"]) == ("failed", "Cancelled.")
    assert model(as_alice, world)["run"] is None


def test_rolling_back(world: World, as_alice: APIClient):
    submit_two(world)
    start(as_alice, world)
    run = world.project.runs.get()
    claim = job_claim(job_id=run.job_id)
    assert claim is not None
    complete(run, claim)
    address = f"/api/projects/{world.project.pk}/active-version"
    page = as_alice.put(address, {"version": str(world.base.pk)}, format="json").json()
    assert (page["active"]["name"], page["active"]["activated_by"]) == ("tiny 1", "Alice Adams")


def test_a_version_that_does_not_exist_cannot_be_activated(world: World, as_alice: APIClient):
    address = f"/api/projects/{world.project.pk}/active-version"
    assert as_alice.put(address, {"version": str(world.project.pk)}, format="json").status_code == 404


def test_the_page_costs_the_same_for_one_version_and_for_many(
    world: World, as_vera: APIClient, django_assert_max_num_queries
):
    submit_with_corrections(world, seed=0)
    Image.objects.update(split="train")
    with django_assert_max_num_queries(24):
        model(as_vera, world)


def run_to_the_end(client: APIClient, world: World, tp: int) -> None:
    start(client, world)
    run = world.project.runs.latest("created_at")
    claim = job_claim(job_id=run.job_id)
    assert claim is not None
    complete(run, claim, trained(tp), trained(tp + 2, rung=2))  # type: ignore[arg-type]


def test_the_page_reads_nothing_that_grows_with_runs_times_images(world: World, as_alice: APIClient):
    submit_two(world)
    run_to_the_end(as_alice, world, 35)
    with CaptureQueriesContext(connection) as few:
        model(as_alice, world)
    run_to_the_end(as_alice, world, 40)
    run_to_the_end(as_alice, world, 41)
    with CaptureQueriesContext(connection) as many:
        page = model(as_alice, world)
    assert len(few) == len(many)
    assert [query["sql"] for query in many.captured_queries if PER_IMAGE.search(query["sql"])] == []
    images = {"images": 2, "train": 2, "held_out": 0}
    assert [v["snapshot"] for v in page["versions"] if not v["is_base"]] == [images] * 6
    assert [(run["images"], run["held_out_images"]) for run in page["runs"]] == [(2, 0)] * 3


def test_snapshots_are_counted_by_split(world: World, as_alice: APIClient):
    submit_two(world)
    submit_with_corrections(world, seed=2)
    Image.objects.filter(name="image2.png").update(split="held_out")
    run_to_the_end(as_alice, world, 35)
    page = model(as_alice, world)
    (candidate, other, base) = page["versions"]
    assert candidate["snapshot"] == other["snapshot"] == {"images": 3, "train": 2, "held_out": 1}
    assert base["snapshot"] == {"images": 0, "train": 0, "held_out": 0}
    assert (page["runs"][0]["images"], page["runs"][0]["held_out_images"]) == (3, 1)
