"""The page of the loop: versions that come and go, two of them on one image, and the proof of the saved work."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from backend.supervisor import Stack
from tests.e2e.model_files import retouched
from tests.e2e.pages import LOADED_MS, LabelPage, log_in, wait_until
from tests.e2e.test_accessibility import AXE, violations
from tests.integration.http_client import Person, checked
from tests.scenes import nuclei

IMAGES = 4  # the fourth of a project is held out, and blind


@pytest.fixture(scope="module")
def person(stack: Stack) -> Person:
    return Person(stack.url, "admin", stack.admin_password)


@pytest.fixture(scope="module")
def project_id(person: Person) -> str:
    """Four images, the first submitted after one cell was deleted, and a second version."""
    project = person.project("The loop's page")
    for number in range(IMAGES):
        checked(person.upload(project, f"{number}.tif", nuclei(70 + number, side=128, cells=8).tiff))
    person.wait_all_settled(project)
    first = image_named(person, project, "0.tif")
    found = person.cells(first)
    patch = {"added": [], "updated": [], "removed": found["cells"][:1]}
    saved = person.edit(first, base_revision=found["revision"], patch=patch)
    person.post(f"images/{first}/submit", {"revision": saved["revision"]})
    sent = {"file": ("second.safetensors", retouched("neck", 1.05))}
    checked(person.request("POST", f"projects/{project}/model-versions/import", files=sent))
    return project


def image_named(person: Person, project_id: str, name: str) -> str:
    return next(str(image["id"]) for image in person.images(project_id) if image["name"] == name)


@pytest.fixture(scope="module")
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """One window for all tests, logged in, with the checker of accessibility in it."""
    context = browser.new_context(
        base_url=stack.url, viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
    )
    context.add_init_script(path=AXE)
    opened = context.new_page()
    log_in(opened, "admin", stack.admin_password)
    yield opened
    context.close()


@pytest.fixture
def model_page(page: Page, project_id: str) -> Page:
    page.goto(f"/projects/{project_id}/model")
    expect(page.get_by_test_id("version-row").first).to_be_visible(timeout=LOADED_MS)
    return page


def test_the_saved_work_is_plotted_tabled_and_downloaded(model_page: Page, person: Person) -> None:
    proof = model_page.get_by_test_id("proof")
    expect(proof.get_by_test_id("plot-words")).to_contain_text("in 1 image")
    proof.get_by_role("button", name="Over time").click()
    proof.get_by_role("slider").press("Home")
    expect(proof.get_by_test_id("plot-words")).to_contain_text("0.tif")
    proof.get_by_test_id("proof-as-table").click()
    expect(proof.get_by_test_id("proof-table").get_by_role("row")).to_have_count(2)
    expect(model_page.get_by_test_id("counts-by-version")).to_contain_text("tiny")
    with model_page.expect_download() as started:
        proof.get_by_test_id("proof-csv").click()
    rows = list(csv.DictReader(io.StringIO(Path(started.value.path()).read_text())))
    assert [(row["image"], row["false"]) for row in rows] == [("0.tif", "1")]
    assert violations(model_page) == []


def test_a_version_comes_in_from_a_file_serves_and_goes_back(model_page: Page, tmp_path: Path) -> None:
    page = model_page
    (tmp_path / "notes.safetensors").write_text("no weights")
    (tmp_path / "third.safetensors").write_bytes(retouched("neck", 0.95))
    page.get_by_test_id("import-version").click()
    form = page.get_by_test_id("import-form")
    form.locator("input[type=file]").set_input_files(tmp_path / "notes.safetensors")
    form.get_by_test_id("import").click()
    expect(form.get_by_test_id("import-error")).to_contain_text("notes.safetensors cannot be imported")
    form.locator("input[type=file]").set_input_files(tmp_path / "third.safetensors")
    form.get_by_test_id("import").click()
    expect(form).to_be_hidden(timeout=LOADED_MS)
    newest = page.locator('[data-testid="version-row"][data-name="v2"]')
    expect(newest).to_have_attribute("data-state", "imported")
    newest.get_by_test_id("version-menu").click()
    page.get_by_test_id("version-activate").click()
    page.get_by_test_id("confirm").click()
    expect(newest).to_have_attribute("data-state", "active")
    page.get_by_test_id("roll-back").click()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("version-row").last).to_have_attribute("data-state", "active")


def test_two_versions_meet_on_an_image_at_a_border_that_keys_move(
    model_page: Page, person: Person, project_id: str
) -> None:
    page = model_page
    page.set_viewport_size({"width": 800, "height": 600})
    page.get_by_test_id("compare").click()
    viewer = page.get_by_test_id("compare-viewer")
    expect(viewer).to_be_visible(timeout=LOADED_MS)
    image_id = image_named(person, project_id, "0.tif")
    ids = [page.url.split(f"{side}=")[1].split("&")[0] for side in ("left", "right")]
    found = person.post(f"images/{image_id}/compare", {"versions": ids})["label_sets"]
    for side, counted in enumerate(found):
        expect(page.get_by_test_id(f"compare-count-{side}")).to_have_text(f"{len(counted['cells'])} cells")
    border = page.get_by_test_id("compare-slider")
    border.press("ArrowLeft")
    expect(border).to_have_attribute("aria-valuenow", "48")
    page.get_by_role("button", name="Filled").click()
    for key, here, there in (("Home", "green", "yellow"), ("End", "yellow", "green")):
        border.press(key)
        wait_until(partial(is_all_of, viewer, here, there), f"{here} cells all over the picture")
    assert violations(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})


def is_all_of(viewer: Locator, here: str, there: str) -> bool:
    """Whether the cells of one side alone are in the picture; the other side's colour is in its name."""
    shown = colours(viewer)
    return shown[here] > 1000 + 5 * shown[there]


def colours(viewer: Locator) -> dict[str, int]:
    """How many pixels have the colour of the left side's cells, and of the right side's."""
    shot = Image.open(io.BytesIO(viewer.screenshot())).convert("RGB")
    red, green, blue = np.moveaxis(np.asarray(shot, dtype=int), -1, 0)
    return {
        "yellow": int(((red > 1.5 * blue) & (green > 1.5 * blue) & (red > 80)).sum()),
        "green": int(((green > 1.8 * red) & (green > 80)).sum()),
    }


def test_settings_of_the_loop_are_kept(model_page: Page, person: Person, project_id: str) -> None:
    model_page.get_by_test_id("loop-settings").click()
    form = model_page.get_by_test_id("loop-settings-form")
    expect(form).to_be_visible()
    form.get_by_label("Train after this many corrected cells").fill("350")
    form.get_by_role("switch", name="Deep training").click()
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden(timeout=LOADED_MS)
    settings = person.get(f"projects/{project_id}/model")["settings"]
    assert (settings["correction_threshold"], settings["deep"]) == (350, True)


def test_a_held_out_image_says_why_it_opens_without_outlines(
    page: Page, person: Person, project_id: str
) -> None:
    page.goto(f"/images/{image_named(person, project_id, f'{IMAGES - 1}.tif')}")
    label_page = LabelPage(page)
    label_page.wait_until_loaded()
    label_page.wait_for_cells(0)
    expect(page.get_by_test_id("image-state")).to_contain_text("held out to judge models")
