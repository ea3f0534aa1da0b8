"""Tools that draw and repair, by the pointer, judged by the pixels that the server saved."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from tests.e2e.shapes import Mask, Point, box, centres, disc, iou, polygon, stroke
from tests.e2e.sheet import DRAWN, FITTED, SMALL_SPOT, SPOT, STRIPE, Sheet, Step, mask_of

RADIUS = 6  # of a new person's brush
LOOP = [(212 + 20 * np.cos(turn), 151 + 17 * np.sin(turn)) for turn in np.arange(0, 6.1, 0.4)]
SQUARE = np.ones((3, 3), dtype=bool)
WAIST = 237.1  # x, where the two discs of "twins" meet


def test_a_brush_stroke_beside_cells_is_a_new_cell(sheet: Sheet) -> None:
    sheet.choose("brush")
    with sheet.one_step() as step:
        way = sheet.drag((210, 120), (236, 131), (228, 160))
    step.check(added=[stroke(way, RADIUS)])
    assert step.added[0]["source"] == "person"


def test_the_brush_grows_by_its_key(sheet: Sheet) -> None:
    sheet.choose("brush")
    sheet.press("]")
    with sheet.one_step() as step:
        way = sheet.drag((210, 120), (210, 120))
    step.check(added=[disc(*way[0], 7.5)])
    sheet.press("[")


def test_the_brush_adds_to_the_selected_cell_and_alt_takes_away(sheet: Sheet) -> None:
    sheet.select("block")
    sheet.choose("brush")
    with sheet.one_step() as step:
        way = sheet.drag((345, 75), (362, 84))
    step.check(changed={"block": DRAWN["block"] | stroke(way, RADIUS)})
    with sheet.one_step() as step, sheet.held("Alt"):
        way = sheet.drag((345, 75), (362, 84))
    step.check(changed={"block": DRAWN["block"] & ~stroke(way, RADIUS)})
    with sheet.one_step() as step:
        way = sheet.drag((322, 90), (340, 92), button="right")
    step.check(changed={"block": DRAWN["block"] & ~stroke(way, RADIUS)})


def test_a_stroke_that_begins_on_a_cell_goes_on_with_it(sheet: Sheet) -> None:
    sheet.choose("brush")
    with sheet.one_step() as step:
        way = sheet.drag((335, 75), (335, 100))
    step.check(changed={"block": DRAWN["block"] | stroke(way, RADIUS)})


def test_x_swaps_the_brush_for_an_eraser_that_takes_from_every_cell_under_it(sheet: Sheet) -> None:
    sheet.choose("brush")
    sheet.press("x")
    with sheet.one_step() as step:
        way = sheet.drag((22, 70), (40, 74))
    gone = stroke(way, RADIUS)
    step.check(changed={name: DRAWN[name] & ~gone for name in ("left", "right")})


def test_the_eraser_spares_what_is_not_selected_and_a_cell_without_pixels_goes(sheet: Sheet) -> None:
    sheet.select("left")
    sheet.choose("erase")
    with sheet.one_step() as step:
        way = sheet.drag((22, 70), (40, 74))
    step.check(changed={"left": DRAWN["left"] & ~stroke(way, RADIUS)})
    sheet.press("Escape")
    with sheet.one_step() as step:
        sheet.drag((75, 25), (76, 26))
    step.check(removed={"tiny"})


@pytest.mark.parametrize("ending", ["the first corner", "Enter", "a double click"])
def test_a_polygon_is_what_its_corners_go_around(sheet: Sheet, ending: str) -> None:
    corners: list[Point] = sheet.way((200, 110), (251, 117), (243, 163), (224, 133), (206, 170))
    sheet.choose("polygon")
    with sheet.one_step() as step:
        sheet.click(*corners[:3], (350, 180))
        sheet.press("Backspace")
        sheet.click(*corners[3:])
        if ending == "Enter":
            sheet.press("Enter")
        else:
            sheet.click(corners[0] if ending == "the first corner" else corners[-1])
    step.check(added=[polygon(corners)])


def test_a_polygon_joins_the_selected_cell_or_with_alt_is_cut_out_of_it(sheet: Sheet) -> None:
    corners = sheet.way((331, 81), (341, 84), (337, 111))
    sheet.select("block")
    sheet.choose("polygon")
    with sheet.option("Draws", "Into the selected cell", "A new cell"):
        with sheet.one_step() as step:
            sheet.click(*corners)
            sheet.press("Enter")
        step.check(changed={"block": DRAWN["block"] | polygon(corners)})
    with sheet.one_step() as step:
        with sheet.held("Alt"):
            sheet.click(*corners)
        sheet.press("Enter")
    step.check(changed={"block": DRAWN["block"] & ~polygon(corners)})


def test_a_lasso_is_what_the_hand_went_around(sheet: Sheet) -> None:
    sheet.choose("lasso")
    with sheet.one_step() as step:
        way = sheet.drag(*LOOP)
    step.check(added=[polygon(way)])
    sheet.select("neighbour")
    sheet.choose("lasso")
    with sheet.one_step() as step, sheet.held("Alt"):
        way = sheet.drag((260, 70), (281, 61), (311, 77), (284, 99))
    step.check(changed={"neighbour": DRAWN["neighbour"] & ~polygon(way)})


def test_a_flood_fills_a_gap_between_cells(sheet: Sheet) -> None:
    sheet.choose("flood")
    with sheet.one_step() as step:
        sheet.click((185, 25))
    step.check(added=[box(180, 20, 190, 30)])
    sheet.select("ring")
    sheet.choose("flood")
    with sheet.one_step() as step:
        sheet.click((185, 25))
    step.check(changed={"ring": box(170, 10, 200, 40)})
    with sheet.no_step("runs out past its reach"):
        sheet.click((300, 150))


def test_a_flood_by_brightness_fills_what_is_as_bright(sheet: Sheet) -> None:
    sheet.choose("flood")
    with sheet.option("Fills", "Similar brightness", "Up to cell borders"), sheet.one_step() as step:
        sheet.click((50, 150))
    step.check(added=[SPOT])


def test_a_threshold_finds_what_stands_out_in_a_box(sheet: Sheet) -> None:
    sheet.choose("threshold")
    with sheet.one_step() as step:
        sheet.drag((30, 130), (105, 171))
    step.check(added=[SPOT])
    with sheet.option("Keeps", "Each piece", "The largest piece"), sheet.one_step() as step:
        sheet.drag((30, 130), (105, 171))
    step.check(added=[SPOT, SMALL_SPOT])


def test_escape_in_mid_stroke_leaves_no_trace(sheet: Sheet) -> None:
    sheet.choose("brush")
    mouse, revision = sheet.page.mouse, sheet.revision
    mouse.move(*sheet.label_page.on_screen(210, 120))
    mouse.down()
    mouse.move(*sheet.label_page.on_screen(230, 130))
    sheet.press("Escape")
    mouse.up()
    sheet.label_page.wait_saved()
    assert sheet.revision == revision
    assert sheet.page.get_by_test_id("undo").is_disabled()


def parts_of(step: Step, name: str) -> tuple[Mask, Mask]:
    """The two parts of a cell that was parted: left, right. No pixel is lost and none is in both."""
    assert (set(step.changed), step.removed, len(step.added)) == ({name}, set(), 1)
    kept, new = mask_of(step.changed[name]), mask_of(step.added[0])
    assert kept.sum() >= new.sum(), "the larger part keeps the number"
    assert not (kept & new).any()
    assert ((kept | new) == DRAWN[name]).all()
    x, _ = centres()
    return (kept, new) if x[kept].mean() < x[new].mean() else (new, kept)


def test_trim_keeps_the_clicked_piece(sheet: Sheet) -> None:
    sheet.choose("trim")
    with sheet.one_step() as step:
        sheet.click((142, 20))
    step.check(changed={"two pieces": box(139, 16, 146, 30)})


def test_fill_holes(sheet: Sheet) -> None:
    sheet.select("ring")
    with sheet.one_step() as step:
        sheet.press("Shift+F")
    step.check(changed={"ring": box(170, 10, 200, 40)})


def test_grow_stops_at_a_neighbour_and_shrink_takes_a_rim(sheet: Sheet) -> None:
    sheet.select("left", "round")
    with sheet.one_step() as step:
        sheet.press("Shift+Q")
    step.check(
        changed={
            "left": ndimage.binary_dilation(DRAWN["left"], SQUARE) & ~DRAWN["right"],
            "round": ndimage.binary_dilation(DRAWN["round"], SQUARE),
        }
    )
    with sheet.one_step() as step:
        sheet.press("q")
    step.check(changed={name: ndimage.binary_erosion(DRAWN[name], SQUARE) for name in ("left", "round")})


def test_autofit_moves_the_outline_to_where_the_picture_changes(sheet: Sheet) -> None:
    sheet.select("seed")
    with sheet.one_step() as step:
        sheet.press("j")
    assert (set(step.changed), step.added, step.removed) == ({"seed"}, [], set())
    assert iou(mask_of(step.changed["seed"]), FITTED) > 0.97 > iou(DRAWN["seed"], FITTED)


def test_two_clicks_split_a_cell_at_its_waist(sheet: Sheet) -> None:
    sheet.choose("split")
    with sheet.one_step() as step:
        sheet.click((220, 25), (250, 25))
    left, right = parts_of(step, "twins")
    x, _ = centres()
    assert iou(left, DRAWN["twins"] & (x < WAIST)) > 0.98
    assert iou(right, DRAWN["twins"] & (x > WAIST)) > 0.98


def test_two_clicks_split_a_cell_at_its_dark_line(sheet: Sheet) -> None:
    sheet.choose("split")
    with sheet.option("Splits at", "The dark line", "The waist"), sheet.one_step() as step:
        sheet.click((274, 14), (296, 35))
    left, right = parts_of(step, "striped")
    x, _ = centres()
    assert not (left & ~STRIPE & (x > 282)).any()
    assert not (right & ~STRIPE & (x < 282)).any()


def test_a_line_right_across_cuts_a_cell_and_one_that_ends_inside_does_not(sheet: Sheet) -> None:
    sheet.choose("cut")
    with sheet.one_step() as step:
        (ax, ay), (bx, by) = sheet.drag((332, 4), (338, 46))
    left, right = parts_of(step, "plank")
    x, y = centres()
    from_line = x - (ax + (y - ay) * (bx - ax) / (by - ay))  # pixels along the row, right of it positive
    assert not (left & (from_line > 1)).any()
    assert not (right & (from_line < -1)).any()
    with sheet.no_step("No cell was cut"):
        sheet.drag((332, 4), (335, 25))


def test_clicked_cells_merge_into_the_first(sheet: Sheet) -> None:
    sheet.choose("merge")
    with sheet.one_step() as step:
        sheet.click_on("right", "left")
    step.check(changed={"right": DRAWN["left"] | DRAWN["right"]}, removed={"left"})
    sheet.select("left")
    with sheet.one_step() as step, sheet.held("Alt"):
        sheet.click_on("right")
    step.check(changed={"left": DRAWN["left"] | DRAWN["right"]}, removed={"right"})


def test_cells_in_a_lasso_merge(sheet: Sheet) -> None:
    sheet.choose("merge")
    with sheet.one_step() as step:
        sheet.drag((64, 55), (130, 54), (131, 86), (63, 85))
    whole = DRAWN["first"] | DRAWN["second"] | DRAWN["third"]
    step.check(changed={"first": whole}, removed={"second", "third"})
