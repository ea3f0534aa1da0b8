"""WCAG 2 A and AA on every page, by axe-core, in each of the states that people meet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from backend.supervisor import ROOT, Stack
from tests.e2e.pages import LOADED_MS, LabelPage, ProjectPage, log_in
from tests.integration.http_client import Person
from tests.scenes import nuclei

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN_AXE = "rules => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })"


@pytest.fixture(scope="module")
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """One window for all pages, with the checker in it: as an init script it needs no leave of our security policy."""
    context = browser.new_context(
        base_url=stack.url, viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
    )
    context.add_init_script(path=AXE)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def project(page: Page, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> ProjectPage:
    """A project with a class and one segmented image of two channels."""
    folder = tmp_path_factory.mktemp("images")
    (folder / "cells.tif").write_bytes(nuclei(5, side=192, cells=12).tiff)
    log_in(page, "admin", stack.admin_password)
    opened = ProjectPage.create(page, "Everyone can use this")
    Person(stack.url, "admin", stack.admin_password).post(
        f"projects/{opened.id}/classes", {"name": "Interphase", "colour": "#fff53b", "key": 1}
    )
    opened.upload(folder / "cells.tif")
    opened.wait_for("cells.tif", "ready")
    return opened


def violations(page: Page) -> list[str]:
    """What axe finds, one line an element."""
    found: dict[str, Any] = page.evaluate(RUN_AXE, RULES)
    return [
        f"{rule['id']}: {node['target']} {node.get('failureSummary', '')}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def test_the_login_page(browser: Browser, stack: Stack) -> None:
    context = browser.new_context(base_url=stack.url, reduced_motion="reduce")
    context.add_init_script(path=AXE)
    login = context.new_page()
    login.goto("/")
    expect(login.get_by_test_id("login-form")).to_be_visible(timeout=LOADED_MS)
    assert violations(login) == []
    context.close()


@pytest.mark.parametrize("path", ["/", "/account", "/keys"])
def test_the_pages_of_no_project(page: Page, project: ProjectPage, path: str) -> None:
    page.goto(path)
    expect(page.get_by_role("heading").first).to_be_visible(timeout=LOADED_MS)
    page.wait_for_load_state("networkidle")
    assert violations(page) == []


@pytest.mark.parametrize("tab", ["", "/classes", "/model", "/compare", "/people", "/export"])
def test_the_pages_of_a_project(page: Page, project: ProjectPage, tab: str) -> None:
    page.goto(f"/projects/{project.id}{tab}")
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=LOADED_MS)
    expect(page.get_by_text("Loading")).to_have_count(0)
    assert violations(page) == []


def open_label_page(page: Page, project: ProjectPage) -> LabelPage:
    page.goto(f"/projects/{project.id}")
    return project.open("cells.tif")


def test_the_labelling_page_with_each_of_its_panels_and_menus(page: Page, project: ProjectPage) -> None:
    label_page = open_label_page(page, project)
    label_page.choose("brush")
    page.get_by_test_id("cell-row").first.click()
    found = {"at first": violations(page)}
    for shown in ("dock-classes", "dock-notes", "dock-info", "toggle-filmstrip"):
        page.get_by_test_id(shown).click()
        found[shown] = violations(page)
    page.get_by_test_id("dock-cells").click()
    for menu in ("operations", "seeing-menu", "cell-filter", "submit-more", "help"):
        page.get_by_test_id(menu).click()
        over = page.locator("[role=dialog], [role=menu]").first
        expect(over).to_be_visible()
        expect(over).to_have_css("opacity", "1")  # half faded in, its contrast is not what people read
        found[menu] = violations(page)
        page.keyboard.press("Escape")
        expect(over).to_be_hidden()
    page.get_by_test_id("toggle-filmstrip").click()
    assert {state: lines for state, lines in found.items() if lines} == {}


def test_the_labelling_page_in_a_narrow_window(page: Page, project: ProjectPage) -> None:
    page.set_viewport_size({"width": 820, "height": 768})
    open_label_page(page, project)
    expect(page.get_by_test_id("inspector-icons")).to_be_visible()
    folded = violations(page)
    page.get_by_role("button", name="Open cells").click()
    opened = violations(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    assert folded == []
    assert opened == []


def focused_part(page: Page) -> str:
    """The part of the page that has the keyboard: its name, else its tag."""
    part: str = page.evaluate(
        """() => {
            const focused = document.activeElement;
            const part = focused.closest('main, aside, footer, nav[aria-label=Tools]') ?? focused.closest('header');
            return part?.getAttribute('aria-label') ?? part?.tagName ?? 'none';
        }"""
    )
    return part


def test_the_keyboard_comes_into_the_labelling_page_and_through_it(page: Page, project: ProjectPage) -> None:
    open_label_page(page, project)
    page.keyboard.press("F6")
    parts = [focused_part(page)]
    for _ in range(70):
        page.keyboard.press("Tab")
        if (part := focused_part(page)) != parts[-1]:
            parts.append(part)
    assert parts[:4] == ["HEADER", "Tools", "MAIN", "Inspector"]
