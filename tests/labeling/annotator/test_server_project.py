"""What a simulated person waits for, and what it does once: at a server that answers by a script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from labeling.annotator import server_project
from labeling.annotator.client import Client, Json
from labeling.annotator.records import Order
from labeling.annotator.server_project import ServerProject

ENOUGH = {"deciding": 5, "needed": 5}


class Scripted(Client):
    """`answers` by path, the last of several again and again; `posted` are the paths that were posted to."""

    def __init__(self, answers: dict[str, list[Any]]) -> None:
        self.answers, self.posted = answers, list[str]()

    def get(self, path: str, **query: str) -> Any:
        mine = self.answers[path]
        return mine.pop(0) if len(mine) > 1 else mine[0]

    def post(self, path: str, body: Json | None = None) -> Any:
        self.posted.append(path)
        return {"id": "new"}

    def images(self, project_id: str) -> Iterator[Json]:
        yield from self.get("images")


def image(**fields: Any) -> Json:
    return {"id": "i", "status": "ready", "blind": False, "cells": 0, "shown_from": 0.6, "job": None} | fields


def model(*runs: Json, shown_from: float | None = 0.6, unsure_above: float | None = None) -> Json:
    return {
        "active": {"id": "v"}, "pending": None, "held_out": ENOUGH, "runs": list(runs),
        "presegmentation": {"shown_from": shown_from, "unsure_above": unsure_above},
    }  # fmt: skip


def run(id_: str, images: int) -> Json:
    return {"id": id_, "images": images, "decision": "promoted"}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_project, "POLL_S", 0.01)


def test_an_image_that_is_to_show_outlines_again_is_waited_for():
    bare, shown = image(shown_from=None), image(cells=3)
    client = Scripted({"images": [[bare]], "images/i": [bare, bare, shown], "projects/p/model": [model()]})
    opened = list(ServerProject(client, "p", {}).waiting(Order.RANDOM))
    assert [found["cells"] for found, _ in opened] == [3]


def test_one_that_hides_what_the_model_is_unsure_of_is_opened_at_once():
    bare = image(shown_from=None)
    client = Scripted({
        "images": [[bare]], "images/i": [bare], "projects/p/model": [model(unsure_above=0.5)],
    })  # fmt: skip
    assert len(list(ServerProject(client, "p", {}).waiting(Order.RANDOM))) == 1


@pytest.mark.parametrize("settled", [{}, {"blind": True, "shown_from": 0.0}])
def test_one_in_which_nothing_is_to_be_seen_is_opened_at_once(settled: Json):
    client = Scripted({
        "images": [[image(**settled)]], "images/i": [image(**settled)], "projects/p/model": [model()],
    })  # fmt: skip
    assert len(list(ServerProject(client, "p", {}).waiting(Order.RANDOM))) == 1


def test_a_run_that_ended_while_the_campaign_was_cut_is_not_started_again():
    client = Scripted({"images": [[]], "projects/p/model": [model(run("second", 12), run("first", 6))]})
    assert ServerProject(client, "p", {}).train(submitted=12)["id"] == "second"
    assert client.posted == []


def test_more_submitted_images_are_a_run_of_their_own():
    earlier = run("first", 6)
    client = Scripted({
        "images": [[]], "projects/p/model": [model(earlier), model(run("new", 12), earlier)],
    })  # fmt: skip
    assert ServerProject(client, "p", {}).train(submitted=12)["id"] == "new"
    assert client.posted == ["projects/p/training-runs"]
