"""A model that is mostly wrong here: what it found is hidden, the pages say why, and a person may look all the same.

The state is a real one: a run measured the shipped model on a held-out image of which people accepted one cell.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from backend.supervisor import Stack
from labeling.rle import BoxMask
from tests.e2e.pages import LOADED_MS, LabelPage, log_in
from tests.integration.http_client import JsonObject, Person, cell, checked, wait_for
from tests.scenes import Scene, nuclei

UNOPENED, HELD_OUT = 2, 3  # the fourth of a project is held out
SCENES = (
    nuclei(80, side=128, cells=8),
    nuclei(81, side=128, cells=8),
    nuclei(82, side=128, cells=8),
    nuclei(83, side=224, cells=30),  # enough found cells to tell how many are right
)


@pytest.fixture(scope="module")
def person(stack: Stack) -> Person:
    return Person(stack.url, "admin", stack.admin_password)


def submit(person: Person, image: JsonObject, masks: list[BoxMask]) -> None:
    """Replace what the model found by these cells, and accept the image."""
    found = person.cells(image["id"])
    added = [cell(found["next_label"] + i, mask.box, list(mask.rle)) for i, mask in enumerate(masks)]
    patch = {"added": added, "updated": [], "removed": found["cells"]}
    saved = person.edit(image["id"], base_revision=found["revision"], patch=patch)
    person.post(f"images/{image['id']}/submit", {"revision": saved["revision"]})


def upload(person: Person, project: str, scenes: tuple[Scene, ...]) -> list[JsonObject]:
    for number, scene in enumerate(scenes):
        checked(person.upload(project, f"{number}.tif", scene.tiff))
    return sorted(person.wait_all_settled(project), key=lambda image: str(image["name"]))


def image_once(person: Person, image_id: str, follows: Callable[[JsonObject], bool]) -> JsonObject:
    """The image, once it shows what follows from what people did to others."""

    def look() -> JsonObject | None:
        image = person.image(image_id)
        return image if follows(image) else None

    found: JsonObject = wait_for(look, seconds=120, what="the outlines to be put away")
    return found


@pytest.fixture(scope="module")
def unopened(person: Person) -> JsonObject:
    """An image that the model segmented before it was measured, and whose cells have gone since."""
    project = person.project("Hidden outlines", correction_threshold=100_000)
    images = upload(person, project, SCENES)
    for number in (0, 1):
        submit(person, images[number], SCENES[number].masks)
    submit(person, images[HELD_OUT], SCENES[HELD_OUT].masks[:1])
    person.train(project)
    image_id = images[UNOPENED]["id"]
    assert images[UNOPENED]["cells"] > 0

    return image_once(person, image_id, lambda image: image["cells"] == 0 and image["proposals"] == 1)


def test_hidden_outlines_are_explained_shown_at_a_press_and_put_away_by_undo(
    page: Page, stack: Stack, person: Person, unopened: JsonObject
) -> None:
    (proposal,) = person.get(f"images/{unopened['id']}/proposals")["proposals"]
    log_in(page, "admin", stack.admin_password)
    page.goto(f"/projects/{unopened['project']}/model")
    why = page.get_by_test_id("presegmentation-hidden")
    expect(why).to_contain_text(
        "of the cells that tiny 1 found on held-out images were right", timeout=LOADED_MS
    )

    page.goto(f"/images/{unopened['id']}")
    label_page = LabelPage(page)
    label_page.wait_until_loaded()
    label_page.wait_for_cells(0)
    banner = page.get_by_test_id("outlines-hidden")
    expect(banner).to_contain_text("Mending them would cost more than drawing")
    banner.get_by_test_id("show-proposals").click()
    label_page.wait_for_cells(proposal["cells"])
    expect(banner).to_be_hidden()
    shown = person.cells(unopened["id"])
    assert len(shown["cells"]) == proposal["cells"]
    assert {cell["source"] for cell in shown["cells"]} == {"model"}

    label_page.press("Control+z")
    label_page.wait_for_cells(0)
    label_page.wait_saved()
    assert person.cells(unopened["id"])["cells"] == []
    label_page.press("Control+Shift+z")
    label_page.wait_for_cells(proposal["cells"])
    label_page.wait_saved()
    assert person.cells(unopened["id"])["cells"] == shown["cells"]


@pytest.fixture(scope="module")
def partly_shown(person: Person) -> JsonObject:
    """An image that nobody has opened, in a project whose people deleted all that the model was less sure of."""
    project = person.project("Faint outlines", correction_threshold=100_000)
    scenes = tuple(nuclei(seed, side=224, cells=30) for seed in (90, 91))
    submitted, waiting = upload(person, project, scenes)
    found = person.cells(submitted["id"])
    middle = sorted(cell["score"] for cell in found["cells"])[len(found["cells"]) // 2]
    faint = [cell for cell in found["cells"] if cell["score"] < middle]
    patch = {"added": [], "updated": [], "removed": faint}
    saved = person.edit(submitted["id"], base_revision=found["revision"], patch=patch)
    person.post(f"images/{submitted['id']}/submit", {"revision": saved["revision"]})

    return image_once(
        person, waiting["id"], lambda image: image["shown_from"] > 0 and image["proposals"] == 1
    )


def test_faint_outlines_come_at_a_press_beside_those_that_are_shown(
    page: Page, stack: Stack, person: Person, partly_shown: JsonObject
) -> None:
    (proposal,) = person.get(f"images/{partly_shown['id']}/proposals")["proposals"]
    shown = person.cells(partly_shown["id"])["cells"]
    lowest = partly_shown["shown_from"]
    assert min(cell["score"] for cell in shown) >= lowest
    assert max(cell["score"] for cell in proposal["patch"]["added"]) < lowest
    log_in(page, "admin", stack.admin_password)
    page.goto(f"/projects/{partly_shown['project']}/model")
    why = page.get_by_test_id("presegmentation-partly")
    expect(why).to_contain_text(f"Cells with a score under {lowest:.2f} are kept", timeout=LOADED_MS)

    page.goto(f"/images/{partly_shown['id']}")
    label_page = LabelPage(page)
    label_page.wait_until_loaded()
    label_page.wait_for_cells(len(shown))
    banner = page.get_by_test_id("outlines-hidden")
    expect(banner).to_contain_text("not shown, because of")
    banner.get_by_test_id("show-proposals").click()
    label_page.wait_for_cells(len(shown) + proposal["cells"])
    expect(banner).to_be_hidden()
