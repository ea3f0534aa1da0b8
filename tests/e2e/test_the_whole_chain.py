"""One walk through everything: upload to gated model, in a real browser, against real services."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from backend.supervisor import Stack
from labeling.demo_images import demo_images
from labeling.rle import BoxMask
from tests.e2e.pages import LOADED_MS, TRAINED_MS, LabelPage, ProjectPage, close_left_tabs, log_in
from tests.integration.http_client import Person

JsonObject = dict[str, Any]
IMAGES = 4  # one group in four is held out


@pytest.fixture
def nuclei(tmp_path: Path) -> list[Path]:
    """Real nuclei, from a package that we install."""
    chosen = [image for image in demo_images() if image.name.startswith("nuclei")][:IMAGES]
    assert len(chosen) == IMAGES, "the demo has too few images of nuclei"
    for image in chosen:
        (tmp_path / image.name).write_bytes(image.data)
    return [tmp_path / image.name for image in chosen]


def painted(cells: list[JsonObject], shape: tuple[int, int]) -> NDArray[np.int64]:
    """(H, W) labels as the cells of the API draw them."""
    labels = np.zeros(shape, dtype=np.int64)
    for cell in cells:
        BoxMask(tuple(cell["box"]), tuple(cell["rle"])).paint(labels, cell["label"])
    return labels


def cell_of(person: Person, image_id: str, label: int) -> JsonObject:
    (found,) = [cell for cell in person.cells(image_id)["cells"] if cell["label"] == label]
    return dict(found)


def largest_inside(cells: list[JsonObject], width: int, height: int) -> JsonObject:
    """The largest cell that does not touch the border."""
    inside = [
        cell
        for cell in cells
        if cell["box"][0] > 4
        and cell["box"][1] > 4
        and cell["box"][2] < width - 4
        and cell["box"][3] < height - 4
    ]
    return max(inside, key=lambda cell: sum(cell["rle"][1::2]))


def delete_with_the_keyboard(label_page: LabelPage, cell: JsonObject) -> None:
    before = label_page.cell_count
    label_page.choose("select")
    label_page.select(cell["label"])
    label_page.press("Delete")
    label_page.wait_for_cells(before - 1)
    label_page.wait_saved()


def draw_box_around(label_page: LabelPage, cell: JsonObject) -> None:
    before = label_page.cell_count
    x0, y0, x1, y1 = cell["box"]
    label_page.choose("smart-box")
    label_page.drag((x0 - 1, y0 - 1), (x1 + 1, y1 + 1))
    label_page.press("Enter")  # kept as soon as its mask is there
    label_page.wait_for_cells(before + 1)
    label_page.wait_saved()


def test_a_person_walks_from_an_upload_to_a_gated_model(page: Page, stack: Stack, nuclei: list[Path]) -> None:
    person = Person(stack.url, "admin", stack.admin_password)
    log_in(page, "admin", stack.admin_password)
    project = ProjectPage.create(page, "The whole chain")
    project.upload(*nuclei)
    for path in nuclei:
        project.wait_for(path.name, "ready")

    # Files arrive in any order, and the fourth is held out: it shows no outlines.
    first = next(image["name"] for image in person.images(project.id) if not image["blind"])
    label_page = project.open(first)
    image_id = label_page.image_id
    image = person.image(image_id)
    label_page.wait_for_cells(image["cells"])
    proposed = person.cells(image_id)["cells"]
    assert all(cell["source"] == "model" and cell["model_version"] and cell["score"] for cell in proposed)

    # A cell is deleted, a box brings it back as a mask.
    wrong = largest_inside(proposed, image["width"], image["height"])
    delete_with_the_keyboard(label_page, wrong)
    assert wrong["id"] not in {cell["id"] for cell in person.cells(image_id)["cells"]}
    draw_box_around(label_page, wrong)
    (drawn,) = [cell for cell in person.cells(image_id)["cells"] if cell["source"] == "person"]
    assert (
        BoxMask(tuple(drawn["box"]), tuple(drawn["rle"])).iou(
            BoxMask(tuple(wrong["box"]), tuple(wrong["rle"]))
        )
        > 0.5
    )

    # The brush adds to the selected cell; undo takes it back.
    area = sum(drawn["rle"][1::2])
    label_page.choose("select")
    label_page.select(drawn["label"])
    label_page.choose("brush")
    x0, y0, _, y1 = drawn["box"]
    label_page.drag((x0 + 1, (y0 + y1) / 2), (x0 - 6, (y0 + y1) / 2))
    label_page.wait_saved()
    assert sum(cell_of(person, image_id, drawn["label"])["rle"][1::2]) > area
    label_page.press("Control+z")
    label_page.wait_saved()
    assert cell_of(person, image_id, drawn["label"]) == drawn

    # A reload shows the same, and undo is still there.
    page.reload()
    label_page.wait_until_loaded()
    label_page.wait_for_cells(len(proposed))
    expect(page.get_by_test_id("undo")).to_be_enabled()

    page.get_by_test_id("submit").click()
    page.wait_for_url(lambda url: image_id not in url, timeout=LOADED_MS)  # the next image opens
    label_page.wait_until_loaded()
    assert person.image(image_id)["status"] == "submitted"

    # The export is what was drawn.
    page.goto(f"/projects/{project.id}/export")
    row = page.locator(f'[data-name="{first}"]')
    with page.expect_download() as download:
        row.get_by_test_id("export-label-tiff").click()
    exported = tifffile.imread(download.value.path())
    cells = person.cells(image_id)["cells"]
    assert exported.dtype == np.uint16
    assert np.array_equal(exported, painted(cells, (image["height"], image["width"])))

    # The others are submitted as they are; a training started by hand is judged by the gate.
    for other in person.images(project.id):
        if other["status"] != "submitted":
            close_left_tabs(person, other["id"])  # the one that came next was open for a moment
            person.post(f"images/{other['id']}/submit", {"revision": other["revision"]})
    page.goto(f"/projects/{project.id}/model")
    page.get_by_test_id("train-now").click()
    judged = page.locator('[data-testid="version-row"][data-state="not_enough_evidence"]')
    expect(judged).to_be_visible(timeout=TRAINED_MS)
    expect(judged).to_contain_text("needed")
    expect(page.locator('[data-testid="version-row"][data-state="active"]')).to_have_count(1)
