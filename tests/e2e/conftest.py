"""The sheet that the tools' tests draw on: made once, opened once for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from backend.supervisor import Stack
from tests.e2e.pages import LabelPage, close_left_tabs, log_in
from tests.e2e.sheet import DRAWN, Sheet, make_sheet
from tests.integration.http_client import JsonObject, Person


@pytest.fixture(scope="session")
def sheet_image(stack: Stack) -> JsonObject:
    return make_sheet(Person(stack.url, "admin", stack.admin_password))


@pytest.fixture(scope="module")
def opened_sheet(browser: Browser, stack: Stack, sheet_image: JsonObject) -> Iterator[Sheet]:
    person = Person(stack.url, "admin", stack.admin_password)
    person.put("me/preferences", {"keys": {"preset": "cellloop", "overrides": {}}, "looks": {}})
    close_left_tabs(person, sheet_image["id"])
    context = browser.new_context(base_url=stack.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    log_in(page, "admin", stack.admin_password)
    page.goto(f"/images/{sheet_image['id']}")
    label_page = LabelPage(page)
    label_page.wait_until_loaded()
    label_page.wait_for_cells(len(DRAWN))
    sheet = Sheet(page, label_page, person, sheet_image["id"])
    yield sheet
    sheet.begin()  # the next file finds the cells as they were drawn
    context.close()


@pytest.fixture
def sheet(opened_sheet: Sheet) -> Sheet:
    opened_sheet.begin()
    return opened_sheet
