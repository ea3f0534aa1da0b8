"""A model of another architecture: brought in from a file, promoted by hand, awaited, and guided by clicks.

Its numbers are the shipped model's, and nobody taught its decoder what a click is: these tests are about the way of a
click through page, server and decoder, and not about its worth.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from backend.supervisor import Stack
from labeling.rle import BoxMask
from tests.e2e.model_files import retouched
from tests.e2e.pages import LOADED_MS, SEGMENTED_MS, LabelPage, log_in
from tests.e2e.sheet import Sheet
from tests.integration.http_client import JsonObject, Person, checked, wait_for
from tests.scenes import nuclei

ARCHITECTURE = "paper"
FORGET = (
    "from labeling.models import ModelVersion;"
    f"ModelVersion.objects.filter(project=None, architecture='{ARCHITECTURE}').delete()"
)
IMAGES = 2


@pytest.fixture(scope="module")
def person(stack: Stack) -> Person:
    person = Person(stack.url, "admin", stack.admin_password)
    person.put("me/preferences", {"keys": {"preset": "cellloop", "overrides": {}}, "looks": {}})
    return person


@pytest.fixture(scope="module")
def version(
    stack: Stack, person: Person, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """A project with two images that the shipped model segmented, and the imported version that waits for a word."""
    project = person.project("Clicks")
    for number in range(IMAGES):
        checked(person.upload(project, f"{number}.tif", nuclei(36 + number, side=128, cells=6).tiff))
    person.wait_all_settled(project)
    base = tmp_path_factory.mktemp("base") / "clicks.safetensors"
    base.write_bytes(retouched("trunk", 1.01, name=ARCHITECTURE))
    stack.manage("register_model", str(base))
    sent = {"file": ("clicks.safetensors", retouched("trunk", 1.02, name=ARCHITECTURE))}
    imported = checked(person.request("POST", f"projects/{project}/model-versions/import", files=sent)).json()
    yield project, imported["id"]
    checked(person.request("DELETE", f"projects/{project}"))
    # New projects start from the base that was registered last: the next tests are to find the shipped one.
    stack.manage("shell", "--no-imports", "-c", FORGET)


@pytest.fixture(scope="module")
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    context = browser.new_context(base_url=stack.url, viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    log_in(opened, "admin", stack.admin_password)
    yield opened
    context.close()


def test_a_version_with_a_trunk_of_its_own_says_how_long_it_takes_and_then_serves(
    stack: Stack, page: Page, version: tuple[str, str]
) -> None:
    page.goto(f"/projects/{version[0]}/model")
    row = page.locator('[data-testid="version-row"][data-name="v1"]')
    worker = stack.pid("segment")
    assert worker is not None
    os.kill(worker, signal.SIGSTOP)  # it computes no features until we have read the notice
    try:
        row.get_by_test_id("version-menu").click()
        page.get_by_test_id("version-activate").click()
        expect(page.get_by_role("dialog")).to_contain_text(
            "The features of images at work are computed first"
        )
        page.get_by_test_id("confirm").click()
        notice = page.get_by_test_id("pending-version")
        expect(notice).to_contain_text(f"0 of {IMAGES}", timeout=LOADED_MS)
        expect(notice).to_contain_text("tiny 1 labels until then.")
        expect(row).to_have_attribute("data-state", "pending")
    finally:
        os.kill(worker, signal.SIGCONT)
    expect(notice).to_be_hidden(timeout=SEGMENTED_MS)
    expect(row).to_have_attribute("data-state", "active")


@pytest.fixture(scope="module")
def nucleus(page: Page, person: Person, version: tuple[str, str]) -> tuple[Sheet, BoxMask]:
    """The first image, opened while the version serves, and the true mask of a nucleus without a cell."""
    project, version_id = version
    person.put(f"projects/{project}/active-version", {"version": version_id})

    def serves() -> bool | None:
        return person.get(f"projects/{project}")["active_version"]["id"] == version_id or None

    wait_for(serves, seconds=120, what="the version to serve")
    image = person.wait_settled(next(i["id"] for i in person.images(project) if i["name"] == "0.tif"))
    inside = [
        mask for mask in nuclei(36, side=128, cells=6).masks if min(mask.box) > 4 and max(mask.box) < 124
    ]
    free = max(inside, key=lambda mask: mask.area)
    found = person.cells(image["id"])
    gone = [cell for cell in found["cells"] if mask_of(cell).intersection(free)]
    patch = {"added": [], "updated": [], "removed": gone}
    person.edit(image["id"], base_revision=found["revision"], patch=patch)
    page.goto(f"/images/{image['id']}")
    label_page = LabelPage(page)
    label_page.wait_until_loaded()
    label_page.wait_for_cells(len(found["cells"]) - len(gone))
    return Sheet(page, label_page, person, image["id"]), free


def mask_of(cell: JsonObject) -> BoxMask:
    return BoxMask(tuple(cell["box"]), tuple(cell["rle"]))


def asked(sheet: Sheet, act: Callable[[], object]) -> tuple[list[JsonObject], BoxMask]:
    """The points that the act sent to the model, and the mask that came back."""
    with sheet.page.expect_response("**/decode", timeout=LOADED_MS) as answer:
        act()
    response = answer.value
    assert response.ok, response.text()
    sheet.page.wait_for_timeout(100)  # the page has its answer and shows it
    return json.loads(response.request.post_data or "{}")["points"], mask_of(response.json())


def draw_box(sheet: Sheet, mask: BoxMask) -> None:
    x0, y0, x1, y1 = mask.box
    sheet.label_page.drag((x0 - 1, y0 - 1), (x1 + 1, y1 + 1))


def test_clicks_add_and_take_away_and_one_undo_takes_back_the_whole_mask(
    nucleus: tuple[Sheet, BoxMask],
) -> None:
    sheet, free = nucleus
    sheet.begin()
    sheet.choose("smart-box")
    x0, y0, x1, y1 = free.box
    middle, rim, corner = ((x0 + x1) / 2, (y0 + y1) / 2), (x0 + 2, (y0 + y1) / 2), (x0, y0)
    mouse = sheet.page.mouse
    with sheet.one_step() as step:
        points, first = asked(sheet, lambda: draw_box(sheet, free))
        assert points == []
        assert first.iou(free) > 0.7
        points, _ = asked(sheet, lambda: sheet.label_page.click(*middle))
        assert polarities(points) == [True]
        with sheet.held("Alt"):
            points, _ = asked(sheet, lambda: sheet.label_page.click(*rim))
        assert polarities(points) == [True, False]
        at = sheet.label_page.on_screen(*corner)
        points, last = asked(sheet, lambda: mouse.click(*at, button="right"))
        assert polarities(points) == [True, False, False]
        for point, (x, y) in zip(points, (middle, rim, corner), strict=True):
            assert (point["x"], point["y"]) == (pytest.approx(x, abs=0.5), pytest.approx(y, abs=0.5))
        sheet.press("Enter")
    (cell,) = step.added
    assert mask_of(cell) == last
    assert last != first


def test_backspace_takes_the_last_click_back(nucleus: tuple[Sheet, BoxMask]) -> None:
    sheet, free = nucleus
    sheet.begin()
    sheet.choose("smart-box")
    x0, y0, x1, y1 = free.box
    _, first = asked(sheet, lambda: draw_box(sheet, free))
    asked(sheet, lambda: sheet.label_page.click((x0 + x1) / 2, (y0 + y1) / 2))
    points, again = asked(sheet, lambda: sheet.press("Backspace"))
    assert (points, again) == ([], first)
    sheet.press("Escape")


def polarities(points: list[JsonObject]) -> list[bool]:
    return [point["positive"] for point in points]
