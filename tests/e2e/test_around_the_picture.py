"""What stands around the picture: nothing on a fitted image, hints by the keyboard, a cell's past, others' classes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from backend.supervisor import Stack
from tests.e2e.pages import LOADED_MS, LabelPage, log_in, wait_until
from tests.integration.http_client import JsonObject, Person
from tests.scenes import nuclei

SIDE = 192


@pytest.fixture(scope="module")
def person(stack: Stack) -> Person:
    return Person(stack.url, "admin", stack.admin_password)


@pytest.fixture(scope="module")
def image(person: Person) -> JsonObject:
    project = person.project("Around the picture")
    image_id = person.upload(project, "cells.tif", nuclei(34, side=SIDE, cells=12).tiff).json()["id"]
    return person.wait_settled(image_id)


@pytest.fixture(scope="module")
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    context = browser.new_context(base_url=stack.url, viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    log_in(opened, "admin", stack.admin_password)
    yield opened
    context.close()


@pytest.fixture(scope="module")
def label_page(page: Page, image: JsonObject) -> LabelPage:
    page.goto(f"/images/{image['id']}")
    opened = LabelPage(page)
    opened.wait_until_loaded()
    opened.wait_for_cells(image["cells"])
    return opened


def on_the_image(label_page: LabelPage) -> list[str]:
    """The floating parts that lie over some of the image."""
    left, top = label_page.on_screen(0, 0)
    right, bottom = label_page.on_screen(SIDE, SIDE)
    over = []
    for name in ("tool-card", "zoom"):
        part = label_page.page.get_by_test_id(name).bounding_box()
        assert part is not None, name
        across = part["x"] < right and left < part["x"] + part["width"]
        if across and part["y"] < bottom and top < part["y"] + part["height"]:
            over.append(name)
    return over


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768), (1440, 640)])
def test_nothing_floats_over_a_fitted_image(label_page: LabelPage, size: tuple[int, int]) -> None:
    label_page.page.set_viewport_size({"width": size[0], "height": size[1]})
    label_page.choose("brush")
    label_page.press("Home")
    wait_until(lambda: on_the_image(label_page) == [], "a picture that nothing lies on")
    label_page.page.set_viewport_size({"width": 1440, "height": 900})


CUT_OFF = """card => [...card.querySelectorAll('header h2, header kbd')]
    .filter(part => part.scrollWidth > part.clientWidth + 1 || part.getClientRects().length > 1)
    .map(part => part.textContent)"""


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768)])
def test_the_card_writes_each_tools_name_and_key_in_full(
    label_page: LabelPage, size: tuple[int, int]
) -> None:
    page = label_page.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    card = page.get_by_test_id("tool-card")
    for tool in ("class", "delete-region", "swap-ids", "smart-box"):
        label_page.choose(tool)
        expect(page.get_by_test_id(f"tool-{tool}")).to_have_attribute("aria-pressed", "true")
        assert card.evaluate(CUT_OFF) == []
    page.set_viewport_size({"width": 1440, "height": 900})


def test_hints_come_with_the_keyboard_and_hide_during_a_drag(label_page: LabelPage) -> None:
    page = label_page.page
    label_page.choose("pan")
    page.get_by_test_id("tool-brush").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("tooltip", name="Brush B")).to_be_visible(timeout=LOADED_MS)

    page.mouse.move(*label_page.on_screen(SIDE / 2, SIDE / 2))
    page.mouse.down()
    page.mouse.move(*label_page.on_screen(SIDE / 2 + 8, SIDE / 2), steps=4)
    expect(page.locator("body[data-dragging]")).to_have_count(1)
    expect(page.get_by_role("tooltip").locator("visible=true")).to_have_count(0)
    page.mouse.up()
    expect(page.locator("body[data-dragging]")).to_have_count(0)


def test_a_cell_tells_who_changed_it_and_what_drew_it(label_page: LabelPage) -> None:
    page = label_page.page
    page.get_by_test_id("dock-info").click()
    page.get_by_test_id("cell-row").first.click()
    changes = page.get_by_test_id("cell-change")
    expect(changes).to_have_count(1, timeout=LOADED_MS)
    expect(changes.first).to_contain_text("Model tiny")

    label_page.press("q")
    expect(changes).to_have_count(2, timeout=LOADED_MS)
    expect(changes.first).to_contain_text("Shape changed")
    expect(changes.first).to_contain_text("admin")
    page.get_by_test_id("dock-channels").click()


def test_the_classes_page_follows_what_others_do(page: Page, person: Person, image: JsonObject) -> None:
    page.goto(f"/projects/{image['project']}/classes")
    expect(page.get_by_text("No classes yet")).to_be_visible(timeout=LOADED_MS)
    mitotic = person.post(
        f"projects/{image['project']}/classes", {"name": "Mitotic", "colour": "#b06fff", "key": 1}
    )
    row = page.locator('[data-testid="class"][data-name="Mitotic"]')
    expect(row).to_be_visible(timeout=LOADED_MS)

    now = person.cells(image["id"])
    cell = now["cells"][0]
    patch = {
        "added": [],
        "updated": [{"before": cell, "after": {**cell, "class_id": mitotic["id"]}}],
        "removed": [],
    }
    edit = {"id": "b7a1f2de-5f83-4d5e-8c0e-0c1d5f6c7a01", "base_revision": now["revision"], "patch": patch}
    wait_until(
        lambda: person.request("POST", f"images/{image['id']}/edits", json=edit).status_code == 200,
        "the lease of the labelling page that was left",
    )
    expect(row.get_by_role("cell", name="1", exact=True)).to_be_visible(timeout=LOADED_MS)
