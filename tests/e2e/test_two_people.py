"""Two people with one image open: who edits, who looks on, what a take-over does, and that nothing is lost."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from backend.supervisor import Stack
from labeling.rle import BoxMask, decode
from tests.e2e.pages import LOADED_MS, LabelPage, log_in, wait_until
from tests.integration.http_client import JsonObject, Person
from tests.scenes import nuclei

PASSWORD = "a-long-password-of-bob"
MAKE_BOB = (
    "from django.contrib.auth import get_user_model as m;"
    f"m().objects.create_user('bob', password='{PASSWORD}', first_name='Bob')"
)


@pytest.fixture(scope="module")
def alice(stack: Stack) -> Person:
    """The first admin, who made the project."""
    return Person(stack.url, "admin", stack.admin_password)


@pytest.fixture(scope="module")
def bob(stack: Stack) -> Person:
    stack.manage("shell", "-c", MAKE_BOB)
    return Person(stack.url, "bob", PASSWORD)


@pytest.fixture
def image(alice: Person, bob: Person) -> JsonObject:
    """An image with cells, in a project where both may label."""
    project = alice.project("Two people")
    alice.post(f"projects/{project}/members", {"username": "bob", "role": "annotator"})
    image_id = alice.upload(project, "shared.tif", nuclei(33, side=192, cells=12).tiff).json()["id"]
    return alice.wait_settled(image_id)


@pytest.fixture
def bobs_window(browser: Browser, stack: Stack) -> Iterator[Page]:
    context = browser.new_context(base_url=stack.url, viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


def opened(page: Page, image: JsonObject) -> LabelPage:
    page.goto(f"/images/{image['id']}")
    label_page = LabelPage(page)
    label_page.wait_until_loaded()
    label_page.wait_for_cells(image["cells"])
    return label_page


def delete_cell(label_page: LabelPage, label: int) -> None:
    label_page.choose("select")
    label_page.select(label)
    label_page.press("Delete")


def take_over(label_page: LabelPage) -> None:
    label_page.page.get_by_test_id("take-over").click()
    label_page.page.get_by_test_id("confirm").click()
    expect(label_page.page.get_by_test_id("lease")).to_be_hidden(timeout=LOADED_MS)


def labels(person: Person, image: JsonObject) -> list[int]:
    return [cell["label"] for cell in person.cells(image["id"])["cells"]]


def test_the_second_looks_on_live_takes_over_and_the_first_is_told(
    page: Page, bobs_window: Page, stack: Stack, alice: Person, image: JsonObject
) -> None:
    log_in(page, "admin", stack.admin_password)
    log_in(bobs_window, "bob", PASSWORD)
    first = opened(page, image)
    second = opened(bobs_window, image)
    one, other, *_ = labels(alice, image)

    # Bob is told who edits, and Alice that Bob is here.
    expect(bobs_window.get_by_test_id("lease")).to_contain_text("admin is editing", timeout=LOADED_MS)
    expect(page.get_by_test_id("people")).to_be_visible(timeout=LOADED_MS)

    # Bob cannot change anything, and sees Alice's change as it is saved.
    delete_cell(second, one)
    delete_cell(first, one)
    first.wait_saved()
    second.wait_for_cells(image["cells"] - 1)
    assert labels(alice, image).count(one) == 0

    # Bob takes over, is told nothing is lost, edits; Alice is told, follows, and cannot edit.
    take_over(second)
    expect(page.get_by_test_id("lease")).to_contain_text(re.compile("Bob.* took over"), timeout=LOADED_MS)
    delete_cell(first, other)
    delete_cell(second, other)
    second.wait_saved()
    first.wait_for_cells(image["cells"] - 2)
    assert alice.cells(image["id"])["revision"] == image["revision"] + 2


def test_what_the_first_could_not_send_is_kept_offered_and_saved_on_top(
    page: Page, bobs_window: Page, stack: Stack, alice: Person, image: JsonObject
) -> None:
    log_in(page, "admin", stack.admin_password)
    log_in(bobs_window, "bob", PASSWORD)
    first = opened(page, image)
    second = opened(bobs_window, image)
    hers, his, *_ = labels(alice, image)

    page.context.set_offline(True)
    delete_cell(first, hers)
    expect(page.get_by_test_id("saved-state")).to_contain_text("Offline, 1 change waits", timeout=LOADED_MS)
    take_over(second)
    delete_cell(second, his)
    second.wait_saved()

    page.context.set_offline(False)
    expect(page.get_by_test_id("lease")).to_contain_text("1 change of yours is not sent", timeout=LOADED_MS)
    first.wait_for_cells(image["cells"] - 2)  # Bob's, and hers on top
    assert hers in labels(alice, image)

    page.get_by_test_id("take-over").click()
    page.get_by_test_id("confirm").click()
    first.wait_saved()
    second.wait_for_cells(image["cells"] - 2)
    assert not {hers, his} & set(labels(alice, image))


def narrowed(cell: JsonObject) -> JsonObject:
    """The upper half of a cell."""
    x0, y0, x1, y1 = cell["box"]
    upper = decode(cell["rle"], y1 - y0, x1 - x0)[: (y1 - y0) // 2]
    half = BoxMask.from_mask(upper, x=x0, y=y0)
    assert half is not None, "a cell of at least two rows"
    return {**cell, "box": list(half.box), "rle": list(half.rle), "source": "person", "score": None}


def test_when_both_change_a_cell_nothing_is_dropped_silently(
    page: Page, stack: Stack, alice: Person, bob: Person, image: JsonObject
) -> None:
    log_in(page, "admin", stack.admin_password)
    first = opened(page, image)
    cell = max(alice.cells(image["id"])["cells"], key=lambda one: sum(one["rle"][1::2]))

    page.context.set_offline(True)
    delete_cell(first, cell["label"])
    first.wait_for_cells(image["cells"] - 1)
    # Bob, in a program of his own, takes over, changes the cell that Alice deletes, and leaves.
    tab = "a-program-of-bob"
    bob.post(f"images/{image['id']}/lease", {"session": tab, "take_over": True})
    patch = {"added": [], "updated": [{"before": cell, "after": narrowed(cell)}], "removed": []}
    body = {"id": str(uuid.uuid4()), "base_revision": image["revision"], "patch": patch, "session": tab}
    bob.post(f"images/{image['id']}/edits", body)
    bob.request("DELETE", f"images/{image['id']}/lease", params={"session": tab})

    page.context.set_offline(False)
    expect(page.get_by_test_id("saved-state")).to_contain_text("1 change to decide on", timeout=LOADED_MS)
    first.wait_for_cells(image["cells"])  # his version stays
    (now,) = [one for one in alice.cells(image["id"])["cells"] if one["id"] == cell["id"]]
    assert now["rle"] == narrowed(cell)["rle"]

    # Her deletion is listed, survives a reload, and can be done after all.
    page.reload()
    first.wait_until_loaded()
    page.get_by_test_id("conflicts").get_by_role("button").click()
    page.get_by_test_id("conflict").get_by_role("button").first.click()
    first.wait_for_cells(image["cells"] - 1)
    first.wait_saved()
    assert cell["label"] not in labels(alice, image)


def test_a_second_tab_of_the_same_person_looks_on_too(
    page: Page, stack: Stack, alice: Person, image: JsonObject
) -> None:
    log_in(page, "admin", stack.admin_password)
    first = opened(page, image)
    second = opened(page.context.new_page(), image)
    expect(second.page.get_by_test_id("lease")).to_be_visible(timeout=LOADED_MS)
    expect(page.get_by_test_id("lease")).to_have_count(0)
    # Closed, the first leaves the image to the second, which may edit without a word.
    page.close()
    expect(second.page.get_by_test_id("lease")).to_be_hidden(timeout=LOADED_MS)
    wait_until(
        lambda: second.page.get_by_test_id("saved-state").inner_text() == "All changes saved",
        "the second tab to edit",
    )
    assert first.page.is_closed()
