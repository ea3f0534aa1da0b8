"""Tools for whole cells: select, delete, replace, swap, copy, classes, many at once, and who owns shared pixels."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect
from pycocotools import mask as coco

from tests.e2e.shapes import Mask, stroke
from tests.e2e.sheet import DRAWN, LABELS, Sheet, mask_of

RADIUS = 6  # of a new person's brush


def moved(mask: Mask, dx: int, dy: int) -> Mask:
    """Shapes of the sheet lie far enough from its edge for this."""
    return np.roll(mask, (dy, dx), axis=(0, 1))


def test_selected_cells_are_deleted(sheet: Sheet) -> None:
    sheet.select("square", "round")
    with sheet.one_step() as step:
        sheet.press("Delete")
    step.check(removed={"square", "round"})
    with sheet.one_step() as step, sheet.held("Control"):
        sheet.click_on("far")
    step.check(removed={"far"})


def test_a_loop_deletes_what_lies_in_it_with_more_than_half(sheet: Sheet) -> None:
    sheet.choose("delete-region")
    with sheet.one_step() as step:
        sheet.drag((222, 217), (287, 218), (286, 250), (223, 251))
    step.check(removed={"inner", "outer"})


def test_replace_gives_a_number_the_shape_of_another_cell(sheet: Sheet) -> None:
    sheet.choose("replace")
    with sheet.one_step() as step:
        sheet.click_on("square", "tall")
    step.check(changed={"square": DRAWN["tall"]}, removed={"tall"})
    assert step.changed["square"]["label"] == LABELS["square"]


def test_swap_exchanges_two_numbers(sheet: Sheet) -> None:
    sheet.choose("swap-ids")
    with sheet.one_step() as step:
        sheet.click_on("square", "tall")
    step.check(changed={name: DRAWN[name] for name in ("square", "tall")})
    numbers = [step.changed[name]["label"] for name in ("tall", "square")]
    assert numbers == [LABELS["square"], LABELS["tall"]]


def test_a_duplicate_lies_beside_the_cell_and_leaves_others_their_pixels(sheet: Sheet) -> None:
    sheet.select("square")
    with sheet.one_step() as step:
        sheet.press("Control+d")
    step.check(added=[moved(DRAWN["square"], 22, 0) & ~DRAWN["tall"]])


def test_copies_are_put_down_where_the_pointer_is_or_where_they_were(sheet: Sheet) -> None:
    sheet.select("far")
    sheet.press("Control+c")
    sheet.choose("paste")
    with sheet.one_step() as step:
        ((x, y),) = sheet.way((220.6, 150.7))
        sheet.click((x, y))
    middle = (337.5, 232.5)  # of the cell; it comes to lie under the pointer, in whole pixels
    step.check(added=[moved(DRAWN["far"], round(x - middle[0]), round(y - middle[1]))])
    with sheet.option("Overlap", "Overlap", "Exclude"), sheet.one_step() as step:
        sheet.press("Control+Shift+v")
    step.check(added=[DRAWN["far"]])


def at_once(sheet: Sheet, operation: str) -> None:
    """An operation from the menu, which closes by Escape."""
    sheet.page.get_by_test_id("operations").click()
    sheet.page.get_by_test_id(f"op-{operation}").click()
    sheet.page.keyboard.press("Escape")
    expect(sheet.page.get_by_test_id(f"op-{operation}")).to_be_hidden()


def test_only_the_selected_cells_are_kept(sheet: Sheet) -> None:
    sheet.select("ring", "tall")
    with sheet.one_step() as step:
        at_once(sheet, "keep-only")
    step.check(removed=set(DRAWN) - {"ring", "tall"})


@pytest.mark.parametrize(
    ("operation", "gone"), [("remove-border", {"corner", "edge"}), ("remove-small", {"tiny"})]
)
def test_cells_at_the_border_or_too_small_are_removed(sheet: Sheet, operation: str, gone: set[str]) -> None:
    with sheet.one_step() as step:
        at_once(sheet, operation)
    step.check(removed=gone)


def test_the_class_brush_gives_a_class_to_what_is_clicked_or_stroked_over(sheet: Sheet) -> None:
    project = sheet.person.image(sheet.image_id)["project"]
    classes = {one["name"]: one["id"] for one in sheet.person.get(f"projects/{project}/classes")["classes"]}
    sheet.choose("class")
    card = sheet.page.get_by_test_id("tool-card")
    expect(card).to_contain_text("No class is chosen")
    sheet.press("1")
    expect(card).to_contain_text("The class is Nucleus.")
    with sheet.one_step() as step:
        sheet.click_on("round")
    step.check(changed={"round": DRAWN["round"]})
    assert step.changed["round"]["class_id"] == classes["Nucleus"]
    sheet.press("2")
    with sheet.one_step() as step:
        sheet.drag((66, 70), (98, 72), (128, 70))
    names = ("first", "second", "third")
    step.check(changed={name: DRAWN[name] for name in names})
    assert {step.changed[name]["class_id"] for name in names} == {classes["Debris"]}
    sheet.press("2")  # new cells get none again


@pytest.mark.parametrize("policy", ["Exclude", "Overwrite", "Overlap"])
def test_the_overlap_policy_says_whose_shared_pixels_are(sheet: Sheet, policy: str) -> None:
    sheet.choose("brush")
    with sheet.option("Overlap", policy, "Exclude"), sheet.one_step() as step:
        drawn = stroke(sheet.drag((258, 74), (280, 79)), RADIUS)
    neighbour = DRAWN["neighbour"]
    assert (drawn & neighbour).any()
    if policy == "Exclude":
        step.check(added=[drawn & ~neighbour])
    elif policy == "Overwrite":
        step.check(added=[drawn], changed={"neighbour": neighbour & ~drawn})
    else:
        step.check(added=[drawn])


def test_overlapped_pixels_are_both_cells_after_a_reload_and_in_the_export(sheet: Sheet) -> None:
    page = sheet.page
    sheet.choose("brush")
    with sheet.option("Overlap", "Overlap", "Exclude"):
        drawn = stroke(sheet.drag((258, 74), (280, 79)), RADIUS)
    sheet.label_page.wait_for_cells(len(DRAWN) + 1)
    sheet.label_page.wait_saved()
    page.reload()
    sheet.label_page.wait_until_loaded()
    sheet.label_page.wait_for_cells(len(DRAWN) + 1)

    new = max(sheet.saved().values(), key=lambda cell: cell["label"])
    assert (mask_of(new) == drawn).all()
    sheet.choose("select")
    shared = (280.0, 79.0)
    for label in (new["label"], LABELS["neighbour"]):  # a second click picks the one below
        sheet.click(shared)
        row = page.locator('[data-testid="cell-row"][aria-selected="true"]')
        expect(row).to_have_attribute("data-label", str(label))

    url = f"images/{sheet.image_id}/export"
    annotations = sheet.person.get(url, params={"format": "coco"})["annotations"]
    exported = {one["label"]: one["segmentation"] for one in annotations}
    assert (coco.decode(exported[new["label"]]) == drawn).all()
    assert (coco.decode(exported[LABELS["neighbour"]]) == DRAWN["neighbour"]).all()
