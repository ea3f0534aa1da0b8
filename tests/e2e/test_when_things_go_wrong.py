"""Files that are not images, a connection that is gone, a server that dies: what a person sees, and what is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from backend.supervisor import Stack
from tests.e2e.pages import LOADED_MS, LabelPage, ProjectPage, log_in
from tests.integration.bad_files import all_bad_files
from tests.integration.http_client import Person
from tests.scenes import nuclei

GOOD = "good.tif"


@pytest.fixture
def person(stack: Stack) -> Person:
    return Person(stack.url, "admin", stack.admin_password)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    (tmp_path / GOOD).write_bytes(nuclei(21, side=192, cells=12).tiff)
    return tmp_path / GOOD


def open_good_image(page: Page, stack: Stack, good: Path, project_name: str) -> LabelPage:
    log_in(page, "admin", stack.admin_password)
    project = ProjectPage.create(page, project_name)
    project.upload(good)
    project.wait_for(GOOD, "ready")
    return project.open(GOOD)


def delete_first_listed_cell(label_page: LabelPage) -> None:
    before = label_page.cell_count
    label_page.choose("select")
    label_page.page.get_by_test_id("cell-row").first.click()
    label_page.press("Delete")
    label_page.wait_for_cells(before - 1)


def test_each_bad_file_is_named_with_its_reason_and_the_rest_goes_on(
    page: Page, stack: Stack, tmp_path: Path, good: Path
) -> None:
    bad = all_bad_files()
    for file in bad:
        (tmp_path / file.name).write_bytes(file.content)
    log_in(page, "admin", stack.admin_password)
    project = ProjectPage.create(page, "A mixed batch, in the page")
    project.upload(*(tmp_path / file.name for file in bad), good)
    for file in bad:
        row = page.locator(f'[data-testid="upload-error"][data-name="{file.name}"]')
        expect(row).to_contain_text(file.name, timeout=LOADED_MS)
        assert len(row.inner_text()) > len(file.name) + 20, "a reason stands beside the name"
    project.wait_for(GOOD, "ready")


def test_edits_made_offline_wait_and_are_saved_once(
    page: Page, stack: Stack, good: Path, person: Person
) -> None:
    label_page = open_good_image(page, stack, good, "Offline")
    image_id, revision = label_page.image_id, person.cells(label_page.image_id)["revision"]
    page.context.set_offline(True)
    delete_first_listed_cell(label_page)
    delete_first_listed_cell(label_page)
    expect(page.get_by_test_id("saved-state")).to_contain_text("Offline, 2 changes wait", timeout=LOADED_MS)
    assert person.cells(image_id)["revision"] == revision
    page.context.set_offline(False)
    label_page.wait_saved()
    saved = person.cells(image_id)
    assert saved["revision"] == revision + 2
    assert len(saved["cells"]) == label_page.cell_count


def test_an_edit_survives_the_death_of_the_web_process_and_a_reload(
    page: Page, stack: Stack, good: Path, person: Person
) -> None:
    label_page = open_good_image(page, stack, good, "A dead server")
    image_id, revision = label_page.image_id, person.cells(label_page.image_id)["revision"]
    stack.kill("web")
    delete_first_listed_cell(label_page)
    stack.wait_ready("web")
    page.reload()
    label_page.wait_until_loaded()
    label_page.wait_saved()
    assert person.cells(image_id)["revision"] == revision + 1


def test_a_stranger_sees_nothing(page: Page, stack: Stack, good: Path, person: Person) -> None:
    project = person.project("Private")
    image = person.upload(project, GOOD, good.read_bytes()).json()
    page.goto(f"/images/{image['id']}")
    expect(page.get_by_test_id("login-form")).to_be_visible(timeout=LOADED_MS)
    assert page.request.get(f"/api/images/{image['id']}").status == 401
