"""Hands: keys that are held, tapped, looked up and changed, and keys that belong to a text field."""

from __future__ import annotations

import io
import uuid

import numpy as np
import pytest
import tifffile
from playwright.sync_api import Page, expect

from backend.supervisor import Stack
from labeling.rle import BoxMask
from tests.e2e.pages import LOADED_MS, LabelPage, close_left_tabs, log_in, wait_until
from tests.integration.http_client import JsonObject, Person
from tests.scenes import nuclei


@pytest.fixture(scope="module")
def person(stack: Stack) -> Person:
    return Person(stack.url, "admin", stack.admin_password)


@pytest.fixture(scope="module")
def image(person: Person) -> JsonObject:
    project = person.project("Keys")
    answer = person.upload(project, "image.tif", nuclei(36, side=192, cells=12).tiff)
    return person.wait_settled(answer.json()["id"])


@pytest.fixture
def label_page(page: Page, stack: Stack, person: Person, image: JsonObject) -> LabelPage:
    preferences = {"keys": {"preset": "cellloop", "overrides": {}}, "looks": {}}
    person.put("me/preferences", preferences)
    close_left_tabs(person, image["id"])
    log_in(page, "admin", stack.admin_password)
    page.goto(f"/images/{image['id']}")
    opened = LabelPage(page)
    opened.wait_until_loaded()
    opened.wait_for_cells(image["cells"])
    return opened


def active_tool(page: Page) -> str:
    return page.locator('[data-testid^="tool-"][aria-pressed="true"]').get_attribute("data-testid") or ""


def kept_looks(person: Person) -> JsonObject:
    found: JsonObject = person.get("me/preferences")["looks"]
    return found


def test_caps_lock_is_harmless_and_letters_typed_into_a_field_are_letters(label_page: LabelPage) -> None:
    page = label_page.page
    label_page.press("B")  # as CapsLock makes it: a capital without Shift
    assert active_tool(page) == "tool-brush"
    find = page.get_by_placeholder("Find id")
    find.press_sequentially("e")
    assert active_tool(page) == "tool-brush"
    find.press("Escape")
    label_page.press("e")
    assert active_tool(page) == "tool-erase"


def test_space_pans_while_it_is_held_whatever_the_tool(label_page: LabelPage, image: JsonObject) -> None:
    page = label_page.page
    label_page.press("b")
    before = label_page.on_screen(96, 96)
    page.keyboard.down("Space")
    label_page.drag((96, 96), (116, 96))
    page.keyboard.up("Space")
    after = label_page.on_screen(96, 96)
    assert after[0] > before[0] + 20, "the picture moved"
    assert label_page.cell_count == image["cells"], "and nothing was painted"
    assert active_tool(page) == "tool-brush"


def test_z_held_is_a_peek_and_z_tapped_is_the_fill(label_page: LabelPage, person: Person) -> None:
    page = label_page.page
    page.keyboard.down("z")
    page.wait_for_timeout(400)
    page.keyboard.up("z")
    page.wait_for_timeout(1200)
    assert "seeing.fill" not in kept_looks(person), "a peek changes no setting"
    label_page.press("z")
    wait_until(lambda: kept_looks(person).get("seeing.fill") == 0, "the fill to go")
    label_page.press("z")
    wait_until(lambda: kept_looks(person).get("seeing.fill", 0) > 0, "the fill to come back")


def test_the_overlay_lists_the_live_keys(label_page: LabelPage) -> None:
    page = label_page.page
    label_page.press("?")
    find = page.get_by_label("Find a key or what it does")
    expect(find).to_be_focused(timeout=LOADED_MS)
    find.fill("swap brush")
    rows = page.get_by_test_id("key-row")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("X")
    find.press("b")  # a letter for the field, not the brush
    page.keyboard.press("Escape")
    expect(find).to_be_hidden()
    label_page.press("F1")
    expect(find).to_be_visible()


def test_keys_are_changed_once_for_every_image_and_every_computer(
    label_page: LabelPage, person: Person
) -> None:
    page = label_page.page
    image = page.url
    page.goto("/keys")
    row = page.locator('[data-testid="key-command"][data-action="tool.brush"]')
    row.get_by_test_id("add-key").click()
    page.keyboard.press("o")
    expect(row).to_contain_text("Outlines on or off")
    page.get_by_test_id("take-key").click()
    wait_until(
        lambda: "tool.brush" in person.get("me/preferences")["keys"]["overrides"], "the server to know"
    )
    assert person.get("me/preferences")["keys"]["overrides"] == {
        "tool.brush": ["b", "o"],
        "view.outlines": [],
    }

    page.goto(image)
    label_page.wait_until_loaded()
    label_page.press("o")
    assert active_tool(page) == "tool-brush"
    page.goto("/keys")
    page.get_by_test_id("reset-keys").click()
    page.get_by_test_id("key-preset").click()
    page.get_by_role("option", name="napari").click()
    wait_until(
        lambda: person.get("me/preferences")["keys"] == {"preset": "napari", "overrides": {}}, "the key map"
    )
    page.goto(image)
    label_page.wait_until_loaded()
    label_page.press("p")
    assert active_tool(page) == "tool-brush"


@pytest.fixture(scope="module")
def movie(person: Person) -> list[JsonObject]:
    """The frames of a time-lapse of three."""
    project = person.project("Frames")
    frames = np.stack([nuclei(50 + number, side=160, cells=8).image for number in range(3)])
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, frames, metadata={"axes": "TYX"}, imagej=True)
    first = person.upload(project, "movie.tif", buffer.getvalue()).json()
    person.wait_all_settled(project)
    frames_of: list[JsonObject] = person.get(f"series/{first['frame']['series']}")["frames"]
    return frames_of


LABEL = 900  # no frame has so many cells


def mark_a_free_spot(person: Person, movie: list[JsonObject]) -> JsonObject:
    """A square cell in the first frame, where neither it nor the second has one."""
    taken = np.zeros((160, 160), dtype=np.int64)
    for frame in movie[:2]:
        for cell in person.cells(frame["image"])["cells"]:
            BoxMask(tuple(cell["box"]), tuple(cell["rle"])).paint(taken, 1)
    corners = [(x, y) for y in range(0, 152, 4) for x in range(0, 152, 4)]
    x, y = next((x, y) for x, y in corners if not taken[y : y + 8, x : x + 8].any())
    cell = {
        "id": str(uuid.uuid4()), "label": LABEL, "box": [x, y, x + 8, y + 8], "rle": [0, 64],
        "score": None, "source": "person", "model_version": None, "class_id": None,
    }  # fmt: skip
    first = movie[0]["image"]
    revision = person.cells(first)["revision"]
    person.edit(first, base_revision=revision, patch={"added": [cell], "updated": [], "removed": []})
    return cell


def test_d_and_a_go_through_frames_and_a_copied_cell_keeps_its_number(
    page: Page, stack: Stack, person: Person, movie: list[JsonObject]
) -> None:
    person.put("me/preferences", {"keys": {"preset": "cellloop", "overrides": {}}, "looks": {}})
    marked = mark_a_free_spot(person, movie)
    log_in(page, "admin", stack.admin_password)
    page.goto(f"/images/{movie[0]['image']}")
    opened = LabelPage(page)
    opened.wait_until_loaded()
    opened.wait_for_cells(movie[0]["cells"] + 1)
    opened.press("b")
    page.mouse.move(*opened.on_screen(80, 80))
    fitted = opened.on_screen(40, 40)
    page.mouse.wheel(0, -400)
    wait_until(lambda: opened.on_screen(40, 40) != fitted, "the wheel to have zoomed")
    page.wait_for_timeout(300)
    place = opened.on_screen(40, 40)

    opened.press("d")
    page.wait_for_url(f"**/images/{movie[1]['image']}", timeout=LOADED_MS)
    opened.wait_until_loaded()
    opened.wait_for_cells(movie[1]["cells"])
    assert opened.on_screen(40, 40) == place, "the view stays"
    assert active_tool(page) == "tool-brush", "and so does the tool"
    opened.press("a")
    page.wait_for_url(f"**/images/{movie[0]['image']}", timeout=LOADED_MS)
    opened.wait_until_loaded()
    opened.wait_for_cells(movie[0]["cells"] + 1)

    opened.choose("select")
    opened.select(LABEL)
    opened.press("Shift+D")
    page.wait_for_url(f"**/images/{movie[1]['image']}", timeout=LOADED_MS)
    opened.wait_until_loaded()
    opened.wait_for_cells(movie[1]["cells"] + 1)
    opened.wait_saved()
    (copy,) = [cell for cell in person.cells(movie[1]["image"])["cells"] if cell["label"] == LABEL]
    assert (copy["box"], copy["rle"]) == (marked["box"], marked["rle"])
    assert copy["id"] != marked["id"]
