"""What the labelling page is made of besides its tools: classes, queue, notes, views of the channels, small windows."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from playwright.sync_api import Browser, Page, StorageState, expect

from backend.supervisor import Stack
from tests.e2e.pages import LOADED_MS, LabelPage, ProjectPage, close_left_tabs, log_in, wait_until
from tests.integration.http_client import Person
from tests.scenes import nuclei

CELLS = 10


def two_channels(seed: int) -> bytes:
    """A (2, H, W) TIFF: nuclei, and their negative as a second channel."""
    image = nuclei(seed, side=160, cells=CELLS).image
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.stack([image, image.max() - image]), photometric="minisblack")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def person(stack: Stack) -> Person:
    return Person(stack.url, "admin", stack.admin_password)


@pytest.fixture(scope="module")
def project_id(person: Person) -> str:
    """Three images, all segmented, and two classes."""
    project = person.project("The labelling page")
    person.put(f"projects/{project}/channel-map", {"nuclear": "Channel 1", "whole_cell": None, "rgb": False})
    for key, (name, colour) in enumerate([("Interphase", "#7cbbff"), ("Mitotic", "#ec7cb1")], start=1):
        person.post(f"projects/{project}/classes", {"name": name, "colour": colour, "key": key})
    for number in range(3):
        person.upload(project, f"cells_{number}.tif", two_channels(40 + number))
    person.wait_all_settled(project)
    return project


@pytest.fixture(scope="module")
def signed_in(browser: Browser, stack: Stack) -> StorageState:
    """The cookies of one login, for all windows of this module."""
    context = browser.new_context(base_url=stack.url)
    log_in(context.new_page(), "admin", stack.admin_password)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def page(browser: Browser, stack: Stack, signed_in: StorageState) -> Iterator[Page]:
    """A fresh window of somebody who is logged in."""
    context = browser.new_context(
        base_url=stack.url, viewport={"width": 1440, "height": 900}, storage_state=signed_in
    )
    yield context.new_page()
    context.close()


@pytest.fixture
def label_page(page: Page, person: Person, project_id: str) -> LabelPage:
    """The project's first image, open."""
    first = min(person.images(project_id), key=lambda image: image["name"])
    close_left_tabs(person, first["id"])
    page.goto(f"/images/{first['id']}")
    opened = LabelPage(page)
    opened.wait_until_loaded()
    opened.wait_for_cells(first["cells"])
    return opened


def looks(person: Person, **changed: object) -> None:
    """The person's settings as a new person has them, but for these."""
    preferences = person.get("me/preferences")
    person.put("me/preferences", {**preferences, "looks": changed})


@pytest.fixture(autouse=True)
def plain_looks(person: Person) -> None:
    """No test inherits what another one folded away."""
    looks(person)


def test_a_class_given_with_its_key_survives_a_reload(label_page: LabelPage, person: Person) -> None:
    page = label_page.page
    row = page.get_by_test_id("cell-row").first
    label = row.get_attribute("data-label")
    row.click()
    label_page.press("2")
    expect(row.get_by_test_id("cell-class")).to_have_text("Mitotic")
    label_page.wait_saved()
    page.reload()
    label_page.wait_until_loaded()
    page.get_by_test_id("dock-classes").click()
    expect(page.locator('[data-testid="class-row"][data-name="Mitotic"]')).to_contain_text("1")
    saved = {cell["label"]: cell for cell in person.cells(label_page.image_id)["cells"]}
    assert saved[int(str(label))]["class_id"] is not None
    assert sum(cell["class_id"] is not None for cell in saved.values()) == 1


def test_the_list_filters_by_class_and_jumps_to_a_cell(label_page: LabelPage) -> None:
    page = label_page.page
    page.get_by_test_id("cell-row").nth(1).click()
    label_page.press("1")
    page.get_by_label("Find cells by id or class").fill("interph")
    expect(page.get_by_test_id("cell-row")).to_have_count(1)
    page.get_by_label("Find cells by id or class").press("Enter")
    expect(page.get_by_test_id("cell-row")).to_have_attribute("aria-selected", "true")


def test_a_right_click_selects_the_cell_and_offers_what_can_be_done_to_it(
    label_page: LabelPage, person: Person
) -> None:
    page, before = label_page.page, label_page.cell_count
    cell = max(person.cells(label_page.image_id)["cells"], key=lambda candidate: sum(candidate["rle"][1::2]))
    x0, y0, x1, y1 = cell["box"]
    page.mouse.click(*label_page.on_screen((x0 + x1) / 2, (y0 + y1) / 2), button="right")
    menu = page.get_by_test_id("cell-menu")
    expect(menu.get_by_role("menuitem", name="Fill holes")).to_be_visible()
    menu.get_by_role("menuitem", name="Delete").click()
    label_page.wait_for_cells(before - 1)
    label_page.press("Control+z")
    label_page.wait_for_cells(before)
    label_page.wait_saved()


def test_a_skipped_image_keeps_its_reason_and_the_next_one_opens(
    label_page: LabelPage, person: Person
) -> None:
    page, skipped = label_page.page, label_page.image_id
    page.get_by_test_id("submit-more").click()
    page.get_by_test_id("skip").click()
    form = page.get_by_test_id("skip-form")
    expect(form.get_by_role("button", name="Skip this image")).to_be_disabled()
    form.get_by_role("button", name="Out of focus").click()
    form.get_by_role("button", name="Skip this image").click()
    page.wait_for_url(lambda url: skipped not in url, timeout=LOADED_MS)
    assert person.image(skipped)["skip"]["reason"] == "Out of focus"
    page.goto(f"/images/{skipped}")
    expect(page.get_by_test_id("image-state")).to_contain_text("Out of focus", timeout=LOADED_MS)
    assert person.request("DELETE", f"images/{skipped}/skip").ok


def test_a_note_on_a_cell_leads_back_to_the_cell(label_page: LabelPage) -> None:
    page = label_page.page
    row = page.get_by_test_id("cell-row").first
    label = row.get_attribute("data-label")
    row.click()
    label_page.press("Shift+n")
    form = page.get_by_test_id("note-form")
    form.get_by_label("Note").fill("One cell or two?")
    form.get_by_role("button", name="Add note").click()
    expect(form).to_be_hidden()
    label_page.press("Escape")
    page.get_by_test_id("dock-notes").click()
    note = page.get_by_test_id("note")
    expect(note).to_contain_text("One cell or two?")
    note.get_by_role("button", name=f"Cell {label}").click()
    page.get_by_test_id("dock-cells").click()
    selected = page.locator('[data-testid="cell-row"][aria-selected="true"]')
    expect(selected).to_have_attribute("data-label", str(label))


def test_the_filmstrip_says_why_an_image_is_next_and_opens_it(label_page: LabelPage) -> None:
    page, first = label_page.page, label_page.image_id
    page.get_by_test_id("toggle-filmstrip").click()
    expect(page.get_by_test_id("next-reason")).to_contain_text(re.compile(r"Next: cells_\d\.tif\. \w"))
    page.get_by_text("In order").click()
    films = page.get_by_test_id("film")
    expect(films).to_have_count(3)
    expect(films.locator("[aria-current=page]")).to_have_count(1)
    films.filter(has_not=page.locator("[aria-current]")).first.get_by_role("link").click()
    page.wait_for_url(lambda url: first not in url, timeout=LOADED_MS)
    expect(page.get_by_test_id("filmstrip")).to_be_visible(timeout=LOADED_MS)


def test_channels_side_by_side_move_together(label_page: LabelPage) -> None:
    page = label_page.page
    expect(page.get_by_test_id("pane")).to_have_count(1)
    page.get_by_test_id("seeing-menu").click()
    page.get_by_label("Channels side by side").click()
    page.keyboard.press("Escape")
    panes = page.get_by_test_id("pane")
    expect(panes).to_have_count(3)
    boxes = [panes.nth(index).bounding_box() for index in range(3)]
    assert len({(round(box["width"]), round(box["height"])) for box in boxes if box}) == 1
    zoom = page.get_by_test_id("status-zoom").inner_text()
    panes.nth(2).hover()
    page.mouse.wheel(0, -400)
    expect(page.get_by_test_id("status-zoom")).not_to_have_text(zoom)


def test_frames_are_browsed_with_a_key_and_with_the_slider(page: Page, person: Person) -> None:
    project = person.project("A movie")
    frames = np.stack([nuclei(60 + number, side=96, cells=4).image for number in range(3)])
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, frames, imagej=True, metadata={"axes": "TYX"})
    image = person.upload(project, "movie.tif", buffer.getvalue()).json()
    person.wait_settled(image["id"])
    page.goto(f"/images/{image['id']}")
    LabelPage(page).wait_until_loaded()
    frame = page.get_by_test_id("frame-at")
    expect(frame).to_have_text("1 / 3")
    page.keyboard.press("d")
    expect(frame).to_have_text("2 / 3", timeout=LOADED_MS)
    slider = page.get_by_label("Time: frame")
    expect(slider).to_be_enabled()
    slider.press("Home")
    expect(frame).to_have_text("1 / 3", timeout=LOADED_MS)
    page.wait_for_url(f"**/images/{image['id']}", timeout=LOADED_MS)


def test_cells_that_the_model_draws_over_a_persons_work_wait_to_be_taken(
    label_page: LabelPage, person: Person
) -> None:
    page, image_id, before = label_page.page, label_page.image_id, label_page.cell_count
    page.get_by_test_id("cell-row").first.click()
    label_page.press("Delete")
    label_page.wait_for_cells(before - 1)
    label_page.wait_saved()
    person.post(f"images/{image_id}/segment")
    expect(page.get_by_test_id("proposal")).to_be_visible(timeout=LOADED_MS)
    assert label_page.cell_count == before - 1
    page.get_by_test_id("proposal-add").click()
    label_page.wait_for_cells(before)
    expect(page.get_by_test_id("proposal")).to_be_hidden()
    label_page.press("Control+z")
    label_page.wait_for_cells(before - 1)


def covered_corner(label_page: LabelPage) -> bool:
    """Whether the tool card lies over the image."""
    card = label_page.page.get_by_test_id("tool-card").bounding_box()
    assert card
    left, top = label_page.on_screen(0, 0)
    return left < card["x"] + card["width"] and top < card["y"] + card["height"]


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768)])
def test_the_fitted_image_lies_beside_the_tool_card_and_no_tool_is_cut_off(
    label_page: LabelPage, width: int, height: int
) -> None:
    page = label_page.page
    page.set_viewport_size({"width": width, "height": height})
    page.get_by_role("button", name="Fit the image").click()
    wait_until(lambda: not covered_corner(label_page), "the image to leave the tool card's corner")
    rail = page.get_by_role("navigation", name="Tools").bounding_box()
    last = page.get_by_test_id("operations").bounding_box()
    assert rail
    assert last
    assert last["y"] + last["height"] <= rail["y"] + rail["height"]
    assert last["height"] >= 28


def test_in_a_narrow_window_the_inspector_folds_and_opens_over_the_picture(label_page: LabelPage) -> None:
    page = label_page.page
    page.set_viewport_size({"width": 820, "height": 700})
    expect(page.get_by_test_id("inspector-icons")).to_be_visible()
    wide = page.get_by_test_id("canvas").bounding_box()
    page.get_by_role("button", name="Open cells").click()
    expect(page.get_by_test_id("cell-row").first).to_be_visible()
    over = page.get_by_test_id("canvas").bounding_box()
    assert wide
    assert over
    assert abs(over["width"] - wide["width"]) < 60


def test_a_wrong_password_moves_nothing(browser: Browser, stack: Stack) -> None:
    context = browser.new_context(base_url=stack.url)
    page = context.new_page()
    page.goto("/")
    form = page.get_by_test_id("login-form")
    expect(form).to_be_visible(timeout=LOADED_MS)
    before = form.bounding_box()
    form.get_by_label("Username").fill("admin")
    form.get_by_label("Password", exact=True).fill("wrong")
    form.get_by_role("button", name="Log in").click()
    expect(page.get_by_test_id("login-error")).not_to_be_empty(timeout=LOADED_MS)
    assert form.bounding_box() == before
    context.close()


def test_many_refused_files_leave_what_is_below_them_in_sight(page: Page, tmp_path: Path) -> None:
    page.goto("/")
    project = ProjectPage.create(page, "Many bad files")
    for number in range(20):
        (tmp_path / f"bad_{number}.txt").write_text("no image")
    project.upload(*sorted(tmp_path.iterdir()))
    refused = page.get_by_test_id("refused")
    expect(refused.get_by_test_id("upload-error")).to_have_count(20, timeout=LOADED_MS)
    box = refused.bounding_box()
    assert box
    assert box["height"] < 300
