"""What the canvas shows, read back pixel by pixel: colours, lines, overlaps, and that parts add up to the whole."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

from backend.supervisor import Stack
from tests.e2e.pages import LabelPage, close_left_tabs, log_in, wait_until
from tests.integration.http_client import JsonObject, Person, checked

HEIGHT, WIDTH = 96, 160
BRIGHT = (slice(40, 56), slice(8, 24))  # of the first channel; no cell lies there
FIRST, SECOND, ALONE = (50, 34, 80, 62), (70, 34, 100, 62), (120, 30, 144, 60)  # cells; the first two overlap
FIRST_CHANNEL = (0x6C, 0x9C, 0xFF)  # how the page colours it
MOST_LINE = 3  # screen pixels
ROUNDING = 2  # of 255: a shader counts from another corner after a pan

Rgb = NDArray[np.uint8]


@dataclass(frozen=True)
class Shown:
    """The middle of the canvas as it is on the screen."""

    page: Page
    label_page: LabelPage

    def pixels(self) -> Rgb:
        """(H, W, 3) screen pixels of the image's middle, where no panel lies over it."""
        left, top = self.label_page.on_screen(WIDTH / 5, HEIGHT / 4)
        right, bottom = self.label_page.on_screen(WIDTH * 4 / 5, HEIGHT * 3 / 4)
        return self._taken(
            {"x": round(left), "y": round(top), "width": round(right - left), "height": round(bottom - top)}
        )

    def at(self, x: float, y: float) -> tuple[int, ...]:
        """The colour of one place, in image pixels."""
        left, top = self.label_page.on_screen(x, y)
        return tuple(
            int(v) for v in self._taken({"x": int(left), "y": int(top), "width": 1, "height": 1})[0, 0]
        )

    def row(self, y: float, x0: float, x1: float) -> Rgb:
        """(W, 3) screen pixels from x0 to x1 along one row of the image."""
        (left, top), (right, _) = self.label_page.on_screen(x0, y), self.label_page.on_screen(x1, y)
        return self._taken({"x": int(left), "y": int(top), "width": int(right - left), "height": 1})[0]

    def tone(self, label: int) -> tuple[int, ...]:
        """A cell's own colour, as the list shows it."""
        dot = self.page.locator(f'[data-testid="cell-row"][data-label="{label}"] i')
        return tuple(int(v) for v in re.findall(r"\d+", str(dot.get_attribute("style")))[:3])

    def wait_for(self, wanted: Rgb) -> None:
        """Until the picture is this one."""
        wait_until(lambda: alike(self.pixels(), wanted), "the picture to be as before", 5000)

    def wait_for_other(self, than: Rgb) -> Rgb:
        wait_until(lambda: not alike(self.pixels(), than), "the picture to change", 5000)
        return self.pixels()

    def at_rest(self) -> Rgb:
        """The picture once it no longer changes: what was done last may be drawn a little later."""
        pictures = [self.pixels()]

        def still() -> bool:
            self.page.wait_for_timeout(300)
            pictures.append(self.pixels())
            return alike(pictures[-2], pictures[-1])

        wait_until(still, "the picture to rest", 10_000)
        return pictures[-1]

    @contextmanager
    def peek(self) -> Iterator[None]:
        """Z held for longer than a tap, which means something else."""
        self.page.keyboard.down("z")
        self.page.wait_for_timeout(400)
        yield
        self.page.keyboard.up("z")

    def check_against_all_drawn_anew(self) -> None:
        """Cells are hidden and come back, which draws everything: it must look as it does now."""
        now = self.at_rest()
        with self.peek():
            self.wait_for_other(now)
        self.wait_for(now)

    def _taken(self, clip: dict[str, int]) -> Rgb:
        png = self.page.screenshot(clip={**clip})  # type: ignore[arg-type]
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def box_cell(label: int, box: tuple[int, int, int, int]) -> JsonObject:
    return {
        "id": str(uuid.uuid4()),
        "label": label,
        "box": list(box),
        "rle": [0, (box[2] - box[0]) * (box[3] - box[1])],
        "score": None,
        "source": "person",
        "model_version": None,
    }


@pytest.fixture(scope="module")
def image_id(stack: Stack) -> str:
    """A dark image of two unnamed channels, so that no model adds to the three cells."""
    person = Person(stack.url, "admin", stack.admin_password)
    array = np.full((2, HEIGHT, WIDTH), 300, dtype=np.uint16)
    array[0][BRIGHT] = 40_000
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, metadata={"axes": "CYX"})
    upload = checked(person.upload(person.project("Canvas"), "canvas.tif", buffer.getvalue())).json()
    image = person.wait_settled(upload["id"])
    cells = [box_cell(number, box) for number, box in enumerate((FIRST, SECOND, ALONE), 1)]
    patch = {"added": cells, "updated": [], "removed": []}
    person.edit(image["id"], base_revision=image["revision"], patch=patch)
    return str(image["id"])


@pytest.fixture
def shown(page: Page, stack: Stack, image_id: str) -> Shown:
    """The image with its three cells, fitted to the window."""
    close_left_tabs(Person(stack.url, "admin", stack.admin_password), image_id)
    log_in(page, "admin", stack.admin_password)
    page.goto(f"/images/{image_id}")
    label_page = LabelPage(page)
    label_page.wait_until_loaded()
    label_page.wait_for_cells(3)
    seen = Shown(page, label_page)
    wait_until(lambda: max(seen.at(16, 48)) > 200, "the picture")
    return seen


def alike(a: Rgb, b: Rgb) -> bool:
    """Whether every pixel of two pictures is the same, but for rounding."""
    return a.shape == b.shape and bool(np.abs(a.astype(int) - b.astype(int)).max() <= ROUNDING)


def likeness(pixel: tuple[int, ...] | Rgb, tone: tuple[int, ...]) -> float:
    """Cosine between two colours: 1 for the same hue at any strength."""
    a, b = np.asarray(pixel, float), np.asarray(tone, float)
    return float(a @ b / max(1e-6, float(np.linalg.norm(a) * np.linalg.norm(b))))


def test_channels_cells_and_lines_have_their_colours(shown: Shown):
    assert shown.at(16, 48) == pytest.approx(FIRST_CHANNEL, abs=3), "a bright sample has its channel's colour"
    assert max(shown.at(36, 48)) < 12, "a dark one is dark"
    tone = shown.tone(3)
    inside = shown.at(132, 45)
    assert likeness(inside, tone) > 0.98
    assert 0.1 < max(inside) / max(tone) < 0.3, "the fill lets the image through"
    across = shown.row(45, 112, 132)
    line = across[across.astype(int).sum(axis=1).argmax()]
    assert tuple(line) == pytest.approx(tone, abs=12), "the line is of the full colour"
    bright = (across.max(axis=1) > max(tone) * 0.6).sum()
    assert 1 <= bright <= MOST_LINE, "and thin"


def test_where_cells_overlap_the_topmost_is_seen(shown: Shown):
    below, above = shown.tone(1), shown.tone(2)
    assert likeness(above, below) < 0.97, "the two are told apart"
    shared = shown.at((SECOND[0] + FIRST[2]) / 2, 48)
    assert likeness(shared, above) > 0.98 > likeness(shared, below)
    assert likeness(shown.at(60, 48), below) > 0.98


def test_outlines_and_cells_can_be_taken_away(shown: Shown):
    before = shown.at_rest()
    shown.page.keyboard.press("o")
    without_lines = shown.wait_for_other(before)
    assert without_lines.max() < 120, "fills are faint, lines are gone"
    shown.page.keyboard.press("o")
    shown.wait_for(before)
    with shown.peek():
        assert shown.wait_for_other(before).max() < 12, "only the image is left"
    shown.wait_for(before)


def test_what_is_drawn_in_parts_is_what_is_drawn_at_once(shown: Shown):
    shown.page.mouse.move(*shown.label_page.on_screen(132, 45))  # a cell is highlighted
    shown.page.mouse.move(*shown.label_page.on_screen(36, 48))
    shown.label_page.choose("brush")
    shown.label_page.drag((26, 30), (46, 60), (60, 36))
    shown.label_page.wait_for_cells(4)
    shown.page.mouse.move(700, 890)  # off the canvas: no brush is shown
    shown.check_against_all_drawn_anew()
    shown.page.keyboard.press("Control+z")
    shown.label_page.wait_for_cells(3)
    shown.label_page.wait_saved()


def test_panning_moves_the_picture_by_whole_pixels_and_fills_what_comes_into_view(shown: Shown):
    before = shown.at_rest()
    x, y = shown.label_page.on_screen(36, 48)
    shown.page.mouse.move(x, y)
    shown.page.mouse.down(button="middle")
    for dx, dy in ((-300, 10), (-560, -250), (37, 11)):  # out of sight and back
        shown.page.mouse.move(x + dx, y + dy)
        shown.page.wait_for_timeout(60)
    shown.page.mouse.up(button="middle")
    shown.page.mouse.move(700, 890)
    shown.wait_for(before)
    shown.check_against_all_drawn_anew()


def test_zooming_there_and_back_leaves_the_picture_as_it_was(shown: Shown):
    before = shown.at_rest()
    for key in ("=", "=", "-", "-", "="):
        shown.page.keyboard.press(key)
    shown.page.keyboard.press("Home")
    shown.wait_for(before)
