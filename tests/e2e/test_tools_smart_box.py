"""The smart box in a browser, with the real model: boxes kept, dropped, redrawn and several at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from backend.supervisor import Stack
from labeling.rle import BoxMask
from tests.e2e.pages import LabelPage, log_in, wait_until
from tests.e2e.sheet import Sheet
from tests.integration.http_client import JsonObject, Person, checked
from tests.scenes import nuclei

Box = tuple[int, int, int, int]
ALIKE = 0.7  # IoU of a mask with the nucleus that was boxed
FREED = 3  # nuclei whose cell is taken away, to be boxed again


def mask_of(cell: JsonObject) -> BoxMask:
    return BoxMask(tuple(cell["box"]), tuple(cell["rle"]))


@pytest.fixture(scope="module")
def nuclei_sheet(browser: Browser, stack: Stack) -> Iterator[tuple[Sheet, list[BoxMask]]]:
    """An image that the model segmented, less the cells of a few nuclei, whose true masks come with it."""
    scene = nuclei(36, side=192, cells=12)
    person = Person(stack.url, "admin", stack.admin_password)
    person.put("me/preferences", {"keys": {"preset": "cellloop", "overrides": {}}, "looks": {}})
    image = checked(person.upload(person.project("Boxes"), "nuclei.tif", scene.tiff)).json()
    image = person.wait_settled(image["id"])
    inside = [mask for mask in scene.masks if min(mask.box) > 4 and max(mask.box) < 188]
    free = sorted(inside, key=lambda mask: -mask.area)[:FREED]
    found = person.cells(image["id"])["cells"]
    gone = [cell for cell in found if any(mask_of(cell).intersection(true) for true in free)]
    patch = {"added": [], "updated": [], "removed": gone}
    person.edit(image["id"], base_revision=image["revision"], patch=patch)

    context = browser.new_context(base_url=stack.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    log_in(page, "admin", stack.admin_password)
    page.goto(f"/images/{image['id']}")
    label_page = LabelPage(page)
    label_page.wait_until_loaded()
    label_page.wait_for_cells(len(found) - len(gone))
    yield Sheet(page, label_page, person, image["id"]), free
    context.close()


@pytest.fixture
def sheet(nuclei_sheet: tuple[Sheet, list[BoxMask]]) -> Sheet:
    nuclei_sheet[0].begin()
    nuclei_sheet[0].choose("smart-box")
    return nuclei_sheet[0]


@pytest.fixture
def free(nuclei_sheet: tuple[Sheet, list[BoxMask]]) -> list[BoxMask]:
    return nuclei_sheet[1]


def corners(mask: BoxMask) -> tuple[tuple[float, float], tuple[float, float]]:
    """A box that a hand draws around it: a little too large."""
    x0, y0, x1, y1 = mask.box
    return (x0 - 1, y0 - 1), (x1 + 1, y1 + 1)


def draw_box(sheet: Sheet, mask: BoxMask) -> None:
    sheet.label_page.drag(*corners(mask))


def test_a_box_gives_the_nucleus_and_enter_keeps_it(sheet: Sheet, free: list[BoxMask]) -> None:
    with sheet.one_step() as step:
        draw_box(sheet, free[0])
        sheet.press("Enter")
    (cell,) = step.added
    assert mask_of(cell).iou(free[0]) > ALIKE
    assert (cell["source"], cell["score"] > 0, cell["model_version"] is None) == ("person", True, False)


def test_the_next_box_keeps_the_one_before_and_escape_drops_it(sheet: Sheet, free: list[BoxMask]) -> None:
    with sheet.one_step() as step:
        draw_box(sheet, free[0])
        draw_box(sheet, free[1])
        sheet.press("Escape")
    (cell,) = step.added
    assert mask_of(cell).iou(free[0]) > ALIKE


def test_boxes_need_not_wait_for_each_other(sheet: Sheet, free: list[BoxMask]) -> None:
    before, revision = sheet.saved(), sheet.revision
    for mask in free:
        draw_box(sheet, mask)
    sheet.press("Enter")
    wait_until(lambda: sheet.revision == revision + FREED, "three edits")
    sheet.label_page.wait_saved()
    new = [cell for id, cell in sheet.saved().items() if id not in before]
    assert all(max(mask_of(cell).iou(true) for cell in new) > ALIKE for true in free)
    sheet.press("Control+z", "Control+z", "Control+z")
    wait_until(lambda: sheet.revision == revision + 2 * FREED, "three steps back")
    sheet.label_page.wait_saved()
    assert sheet.saved() == before


def test_a_box_around_a_cell_draws_it_once_more(sheet: Sheet) -> None:
    largest = max(sheet.saved().values(), key=lambda cell: mask_of(cell).area)
    with sheet.one_step() as step:
        draw_box(sheet, mask_of(largest))
        sheet.press("Enter")
    assert step.added == []
    assert step.after.keys() == step.before.keys()
    assert mask_of(step.after[largest["id"]]).iou(mask_of(largest)) > ALIKE


def test_the_mask_is_seen_while_the_hand_rests_and_letting_go_asks_no_second_time(
    sheet: Sheet, free: list[BoxMask]
) -> None:
    requests: list[str] = []
    sheet.page.on("request", lambda request: requests.append(request.url))
    mouse = sheet.page.mouse
    start, end = corners(free[0])
    with sheet.one_step() as step:
        mouse.move(*sheet.label_page.on_screen(*start))
        mouse.down()
        with sheet.page.expect_response(re.compile("/decode$")):
            mouse.move(*sheet.label_page.on_screen(*end))
        sheet.page.wait_for_timeout(200)
        mouse.up()
        sheet.press("Enter")
    assert [url.endswith("/decode") for url in requests].count(True) == 1
    assert mask_of(step.added[0]).iou(free[0]) > ALIKE


def test_a_click_is_refused_in_words_by_a_model_of_boxes_alone(sheet: Sheet, free: list[BoxMask]) -> None:
    """The shipped model takes no clicks: the mask stays as it was, and is kept."""
    x0, y0, x1, y1 = free[0].box
    with sheet.one_step() as step:
        draw_box(sheet, free[0])
        with sheet.no_step("guided by boxes only"):
            sheet.label_page.click((x0 + x1) / 2, (y0 + y1) / 2)
        sheet.press("Enter")
    assert mask_of(step.added[0]).iou(free[0]) > ALIKE
