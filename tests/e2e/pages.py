"""CellLoop's pages as a person uses them: what is clicked, dragged and read, and nothing behind it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.integration.http_client import Person, checked

LOADED_MS = 60_000
SEGMENTED_MS = 300_000  # longer than the lease of a job and the next sweep: one whose worker died comes back
TRAINED_MS = 240_000


def wait_until(holds: Callable[[], bool], what: str, timeout_ms: int = LOADED_MS) -> None:
    """Ask again and again. The page's own `wait_for_function` needs `eval`, which our security policy forbids."""
    deadline = time.monotonic() + timeout_ms / 1000
    while not holds():
        assert time.monotonic() < deadline, f"waited {timeout_ms / 1000:.0f} s for {what}"
        time.sleep(0.05)


def log_in(page: Page, username: str, password: str) -> None:
    page.goto("/")
    form = page.get_by_test_id("login-form")
    form.get_by_label("Username").fill(username)
    form.get_by_label("Password", exact=True).fill(password)
    form.get_by_role("button", name="Log in").click()
    expect(form).to_be_hidden(timeout=LOADED_MS)


@dataclass(frozen=True)
class ProjectPage:
    """/projects/:id and its tabs."""

    page: Page
    id: str

    @classmethod
    def create(cls, page: Page, name: str) -> ProjectPage:
        page.get_by_test_id("new-project").first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Name").fill(name)
        dialog.get_by_role("button", name="Create").click()
        page.wait_for_url("**/projects/*", timeout=LOADED_MS)
        return cls(page, page.url.split("/projects/")[1].split("/")[0])

    def upload(self, *files: Path) -> None:
        self.page.get_by_test_id("drop-input").first.set_input_files([str(file) for file in files])

    def card(self, name: str) -> Locator:
        return self.page.locator(f'[data-testid="image-card"][data-name="{name}"]')

    def wait_for(self, name: str, status: str) -> None:
        expect(self.card(name)).to_have_attribute("data-status", status, timeout=SEGMENTED_MS)

    def open(self, name: str) -> LabelPage:
        self.card(name).get_by_role("link").first.click()
        self.page.wait_for_url("**/images/*", timeout=LOADED_MS)
        label = LabelPage(self.page)
        label.wait_until_loaded()
        return label


def close_left_tabs(person: Person, image_id: str) -> None:
    """Let go of what earlier tests' windows held: they went without a word, so their leases would run on."""
    seen = person.post(f"images/{image_id}/lease", {"session": "a-test-looks-in", "want": False})
    for tab in seen["people"]:
        checked(person.request("POST", f"images/{image_id}/leave", json={"session": tab["session"]}))


@dataclass(frozen=True)
class LabelPage:
    """/images/:id, the canvas and its panels. Positions are image pixels."""

    page: Page

    @property
    def image_id(self) -> str:
        return self.page.url.rstrip("/").rsplit("/", 1)[1]

    @property
    def cell_count(self) -> int:
        return int(self.page.evaluate("window.__cellloop.cellCount"))

    def wait_until_loaded(self) -> None:
        shown = "window.__cellloop !== undefined && location.pathname.endsWith(window.__cellloop.image)"
        wait_until(lambda: bool(self.page.evaluate(shown)), "the labelling page")
        expect(self.page.get_by_test_id("saved-state")).to_be_visible(timeout=LOADED_MS)

    def wait_for_cells(self, count: int) -> None:
        wait_until(lambda: self.cell_count == count, f"{count} cells, there are {self.cell_count}")

    def wait_saved(self) -> None:
        expect(self.page.get_by_test_id("saved-state")).to_contain_text(
            "All changes saved", timeout=LOADED_MS
        )
        wait_until(
            lambda: self.page.evaluate("window.__cellloop.pending") == 0, "all edits to be acknowledged"
        )

    def choose(self, tool: str) -> None:
        self.page.get_by_test_id(f"tool-{tool}").click()

    def on_screen(self, x: float, y: float) -> tuple[float, float]:
        """Where an image pixel lies in the window."""
        spot = self.page.evaluate("([x, y]) => window.__cellloop.imageToScreen(x, y)", [x, y])
        return float(spot["x"]), float(spot["y"])

    def click(self, x: float, y: float) -> None:
        self.page.mouse.click(*self.on_screen(x, y))

    def drag(self, *path: tuple[float, float]) -> None:
        """Press at the first image position, move through the others, let go."""
        self.page.mouse.move(*self.on_screen(*path[0]))
        self.page.mouse.down()
        for spot in path[1:]:
            self.page.mouse.move(*self.on_screen(*spot), steps=8)
        self.page.mouse.up()

    def select(self, label: int) -> None:
        """Find the cell in the list, which shows only as many rows as fit, and click its row."""
        self.page.get_by_placeholder("Find id").fill(str(label))
        self.page.locator(f'[data-testid="cell-row"][data-label="{label}"]').click()

    def press(self, keys: str) -> None:
        self.page.keyboard.press(keys)
