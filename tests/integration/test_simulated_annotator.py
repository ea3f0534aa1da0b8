"""The simulated annotator at a running server: what it counts is what the server stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.supervisor import Stack
from labeling.annotator import Arm, Campaign, Client, Order, Plan, Refused, Subject, subjects
from labeling.annotator.records import ImageRecord, RunRecord, append, read
from tests.integration.http_client import Person
from tests.scenes import nuclei

PLAN = Plan("test", Arm.LOOP, Order.LEARNED, seed=0, images=2, every=1)


@pytest.fixture(scope="module")
def client(stack: Stack, person: Person) -> Client:
    return Client(stack.url, person.post("tokens", {"name": "simulated annotator"})["token"])


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> list[Subject]:
    """Two images, in the first of which the labels name a dark corner too: the model must miss a cell."""
    folder = tmp_path_factory.mktemp("truth")
    lines = ["dataset,modality,split,image,labels"]
    for number in range(2):
        scene = nuclei(60 + number, side=128, cells=6)
        labels = scene.labels.astype(np.uint16)
        free = np.argwhere(labels == 0)
        y, x = free[len(free) // 2]
        labels[y : y + 1, x : x + 1] = labels.max() + 1
        Image.fromarray(scene.image).save(folder / f"{number}.png")
        Image.fromarray(labels).save(folder / f"{number}_labels.png")
        lines.append(f"nuclei,nuclei,test,{number}.png,{number}_labels.png")
    (folder / "manifest.csv").write_text("\n".join(lines))
    return subjects(folder)


@pytest.fixture(scope="module")
def campaign(client: Client, truth: list[Subject], tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """Played once for all tests."""
    played = Campaign(PLAN, truth, tmp_path_factory.mktemp("results"), client)
    played.play()
    return played


def test_it_labels_all_images_and_accepts_the_truth(campaign: Campaign, truth: list[Subject]) -> None:
    assert sorted(record.image for record in campaign.played) == sorted(one.name for one in truth)
    assert [record.f1 for record in campaign.played] == [1.0, 1.0]
    assert min(record.mean_iou for record in campaign.played) >= 0.8
    assert all(record.reason in ("unsure", "unlike", "lot") for record in campaign.played)


def test_the_server_counts_the_same_corrections(campaign: Campaign, person: Person) -> None:
    (project,) = [one for one in person.get("projects") if one["name"] == PLAN.name]
    counted = person.get(f"projects/{project['id']}/model")["corrections"]
    assert counted["missed"] == sum(record.missed for record in campaign.played) >= 2
    assert counted["false"] == sum(record.false for record in campaign.played)
    assert project["counts"]["submitted"] == 2
    assert project["cells"] == sum(record.cells for record in campaign.played)


def test_nobody_asks_for_a_run_that_could_promote_nothing(campaign: Campaign) -> None:
    (run,) = read(RunRecord, [campaign.run_file])
    assert (run.after_round, run.decision) == (1, "waited")
    assert run.reason == "0 held-out images were labelled, of the 5 that the gate needs."


def test_a_complete_campaign_is_not_played_again(campaign: Campaign, truth: list[Subject]) -> None:
    without_a_server = Campaign(PLAN, truth, campaign.out)
    assert without_a_server.play() == campaign.played


def test_a_campaign_that_was_cut_in_an_image_begins_that_image_again(
    campaign: Campaign, client: Client, person: Person, tmp_path: Path
) -> None:
    """Its last image was edited and neither written down nor submitted."""
    (project,) = [one["id"] for one in person.get("projects") if one["name"] == PLAN.name]
    first, last = campaign.played
    append(tmp_path / campaign.image_file.name, first)
    append(tmp_path / campaign.run_file.name, read(RunRecord, [campaign.run_file])[0])
    (image,) = [one for one in person.images(project) if one["name"] == last.image]
    gone = person.cells(image["id"])["cells"][0]
    person.edit(
        image["id"], base_revision=image["revision"], patch={"added": [], "updated": [], "removed": [gone]}
    )

    again = Campaign(PLAN, campaign.subjects, tmp_path, client)
    replayed = again.play()[-1]

    counts = (
        "missed",
        "false",
        "reshaped",
        "box",
        "redraw",
        "brush",
        "delete",
        "shown",
        "f1_shown",
        "mean_iou",
    )
    assert [getattr(replayed, name) for name in counts] == [getattr(last, name) for name in counts]
    assert person.image(image["id"])["status"] == "submitted"
    assert read(ImageRecord, [again.image_file]) == again.played


def test_a_campaign_without_its_records_is_played_anew(
    campaign: Campaign, client: Client, person: Person, tmp_path: Path
) -> None:
    (before,) = [one["id"] for one in person.get("projects") if one["name"] == PLAN.name]
    assert len(Campaign(PLAN, campaign.subjects, tmp_path, client).play()) == 2
    (after,) = [one["id"] for one in person.get("projects") if one["name"] == PLAN.name]
    assert before != after


def test_a_wrong_token_is_said(stack: Stack) -> None:
    with pytest.raises(Refused, match="401"):
        Client(stack.url, "wrong").get("projects")
