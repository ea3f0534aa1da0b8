"""The tab is closed, the server dies, the network goes in the middle of a stroke: everything comes back, once."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from backend.supervisor import Stack
from tests.e2e.pages import LOADED_MS, LabelPage, log_in
from tests.integration.http_client import JsonObject, Person, wait_for
from tests.scenes import nuclei


@pytest.fixture(scope="module")
def person(stack: Stack) -> Person:
    return Person(stack.url, "admin", stack.admin_password)


@pytest.fixture(scope="module")
def project(person: Person) -> str:
    return person.project("Never lose work")


@pytest.fixture
def image(person: Person, project: str) -> JsonObject:
    answer = person.upload(project, "image.tif", nuclei(34, side=192, cells=12).tiff)
    return person.wait_settled(answer.json()["id"])


@pytest.fixture
def label_page(page: Page, stack: Stack, image: JsonObject) -> LabelPage:
    log_in(page, "admin", stack.admin_password)
    return opened(page, image["id"])


def opened(page: Page, image_id: str) -> LabelPage:
    page.goto(f"/images/{image_id}")
    label_page = LabelPage(page)
    label_page.wait_until_loaded()
    return label_page


def labels(person: Person, image: JsonObject) -> set[int]:
    return {cell["label"] for cell in person.cells(image["id"])["cells"]}


def delete_cell(label_page: LabelPage, label: int) -> None:
    label_page.choose("select")
    label_page.select(label)
    label_page.press("Delete")


def paint_a_corner(label_page: LabelPage, *, pull_the_network: bool = False, let_go: bool = True) -> None:
    """A stroke in the upper left corner, where no cell is."""
    page = label_page.page
    label_page.choose("brush")
    page.mouse.move(*label_page.on_screen(8, 8))
    page.mouse.down()
    page.mouse.move(*label_page.on_screen(12, 8), steps=4)
    if pull_the_network:
        page.context.set_offline(True)
    page.mouse.move(*label_page.on_screen(16, 8), steps=4)
    if let_go:
        page.mouse.up()


def test_the_server_dies_the_tab_is_closed_and_all_is_replayed_once(
    label_page: LabelPage, stack: Stack, person: Person, image: JsonObject
) -> None:
    one, other, *_ = sorted(labels(person, image))
    window = label_page.page.context
    stack.kill("web")
    delete_cell(label_page, one)
    delete_cell(label_page, other)
    label_page.wait_for_cells(image["cells"] - 2)
    label_page.page.close()
    stack.wait_ready("web")

    again = opened(window.new_page(), image["id"])  # another tab: the closed one's lease is not in its way
    again.wait_for_cells(image["cells"] - 2)
    again.wait_saved()
    saved = person.cells(image["id"])
    assert saved["revision"] == image["revision"] + 2
    assert not {one, other} & {cell["label"] for cell in saved["cells"]}


def test_the_network_goes_in_the_middle_of_a_stroke(
    label_page: LabelPage, person: Person, image: JsonObject
) -> None:
    paint_a_corner(label_page, pull_the_network=True)
    label_page.wait_for_cells(image["cells"] + 1)
    state = label_page.page.get_by_test_id("saved-state")
    expect(state).to_contain_text("Offline, 1 change waits", timeout=LOADED_MS)
    label_page.page.context.set_offline(False)
    label_page.wait_saved()
    (drawn,) = [cell for cell in person.cells(image["id"])["cells"] if cell["source"] == "person"]
    left, _, right, _ = drawn["box"]
    assert (left < 8, right > 16) == (True, True), "the whole stroke, not its beginning"


def test_a_crash_in_the_middle_of_a_stroke_costs_that_stroke_and_no_more(
    label_page: LabelPage, person: Person, image: JsonObject
) -> None:
    gone = min(labels(person, image))
    label_page.page.context.set_offline(True)
    delete_cell(label_page, gone)
    paint_a_corner(label_page, let_go=False)
    window = label_page.page.context
    label_page.page.close()
    window.set_offline(False)
    again = opened(window.new_page(), image["id"])
    again.wait_saved()
    assert labels(person, image) == set(range(1, image["cells"] + 1)) - {gone}


def test_undo_and_redo_survive_a_reload_and_never_move_the_view(
    label_page: LabelPage, person: Person, image: JsonObject
) -> None:
    page = label_page.page
    gone = min(labels(person, image))
    delete_cell(label_page, gone)
    paint_a_corner(label_page)
    label_page.wait_saved()
    page.reload()
    label_page.wait_until_loaded()
    label_page.wait_for_cells(image["cells"])
    page.mouse.move(*label_page.on_screen(40, 40))
    page.mouse.wheel(0, -300)
    place = label_page.on_screen(10, 10)

    # Less the deleted cell, plus the painted one: what each key leaves.
    for keys, change in [("Control+z", -1), ("Control+z", 0), ("Control+Shift+z", -1), ("Control+y", 0)]:
        label_page.press(keys)
        label_page.wait_for_cells(image["cells"] + change)
        label_page.wait_saved()
        assert label_page.on_screen(10, 10) == place
    assert gone not in labels(person, image)


def test_what_a_closed_tab_left_on_another_image_is_sent_without_opening_it(
    label_page: LabelPage, person: Person, project: str, image: JsonObject
) -> None:
    other = person.upload(project, "other.tif", nuclei(35, side=192, cells=12).tiff).json()["id"]
    person.wait_settled(other)
    gone = min(labels(person, image))
    window = label_page.page.context
    window.set_offline(True)
    delete_cell(label_page, gone)
    label_page.wait_for_cells(image["cells"] - 1)
    label_page.page.close()
    window.set_offline(False)
    assert gone in labels(person, image)

    elsewhere = opened(window.new_page(), other)
    wait_for(
        lambda: None if gone in labels(person, image) else True, seconds=60, what="the change to be sent"
    )
    elsewhere.wait_saved()
