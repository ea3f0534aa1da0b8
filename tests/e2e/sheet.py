"""A sheet to try the tools on: one image, many drawn cells of known geometry, and a hand that works on it.

Every trial goes through `one_step`: what the server saved, and that undo and redo bring back exactly what was.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import tifffile
from playwright.sync_api import Page

from labeling.rle import BoxMask
from tests.e2e.pages import LabelPage, wait_until
from tests.e2e.shapes import HEIGHT, WIDTH, Mask, Point, box, disc
from tests.integration.http_client import JsonObject, Person, checked

DARK, BRIGHT = 300, 30_000
SPOT, SMALL_SPOT = disc(50, 150, 12), disc(85, 150, 7)  # bright, without a cell

# Cell n of the sheet is the nth of these.
DRAWN: dict[str, Mask] = {
    "corner": box(0, 0, 14, 20),
    "tiny": box(73, 23, 77, 27),
    "two pieces": box(118, 15, 134, 30) | box(139, 16, 146, 30),
    "ring": box(170, 10, 200, 40) & ~box(180, 20, 190, 30),
    "twins": disc(225, 25, 13) | disc(247, 25, 11),
    "striped": box(270, 10, 300, 40),
    "plank": box(320, 12, 350, 38),
    "seed": disc(375, 25, 8),
    "left": box(10, 60, 30, 80),
    "right": box(30, 60, 50, 80),
    "first": box(70, 60, 85, 80),
    "second": box(90, 62, 105, 78),
    "third": box(110, 60, 125, 80),
    "square": box(140, 60, 160, 80),
    "tall": box(170, 55, 180, 95),
    "round": disc(225, 75, 15),
    "neighbour": box(270, 60, 300, 90),
    "block": box(320, 60, 350, 90),
    "inner": box(230, 225, 245, 240),
    "outer": box(255, 225, 270, 240),
    "half in": box(275, 225, 305, 240),
    "far": box(330, 225, 345, 240),
    "edge": box(385, 270, 403, 296),
}
LABELS = {name: number for number, name in enumerate(DRAWN, 1)}
STRIPE = box(281, 10, 283, 40)  # dark, in the bright "striped"
FITTED = disc(375, 25, 13)  # what is bright around "seed"


def picture() -> bytes:
    """A (2, H, W) TIFF of unnamed channels, so that no model adds cells. Only the first shows something."""
    bright = SPOT | SMALL_SPOT | FITTED | (DRAWN["striped"] & ~STRIPE)
    samples = np.full((2, HEIGHT, WIDTH), DARK, dtype=np.uint16)
    samples[0][bright] = BRIGHT
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, metadata={"axes": "CYX"})
    return buffer.getvalue()


def drawn_cell(label: int, mask: Mask) -> JsonObject:
    tight = BoxMask.from_mask(mask)
    assert tight is not None
    return {
        "id": str(uuid.uuid4()), "label": label, "box": list(tight.box), "rle": list(tight.rle),
        "score": None, "source": "person", "model_version": None, "class_id": None,
    }  # fmt: skip


def make_sheet(person: Person) -> JsonObject:
    """The image with its cells, in a project with two classes."""
    project = person.project("Tools")
    for key, (name, colour) in enumerate((("Nucleus", "#ffaa00"), ("Debris", "#00aaff")), 1):
        person.post(f"projects/{project}/classes", {"name": name, "colour": colour, "key": key})
    image = checked(person.upload(project, "sheet.tif", picture())).json()
    image = person.wait_settled(image["id"])
    cells = [drawn_cell(LABELS[name], mask) for name, mask in DRAWN.items()]
    patch = {"added": cells, "updated": [], "removed": []}
    person.edit(image["id"], base_revision=image["revision"], patch=patch)
    return image


def mask_of(cell: JsonObject) -> Mask:
    """(H, W) bool, the pixels of a cell as the API gives it."""
    labels = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    BoxMask(tuple(cell["box"]), tuple(cell["rle"])).paint(labels, 1)
    return labels.astype(bool)


def in_order(patch: JsonObject) -> JsonObject:
    """A patch with its cells by id: their order means nothing."""
    updates = sorted(patch["updated"], key=lambda update: update["before"]["id"])
    by_id = {part: sorted(patch[part], key=lambda cell: cell["id"]) for part in ("added", "removed")}
    return by_id | {"updated": updates}


def opposite(patch: JsonObject) -> JsonObject:
    """What takes a patch back."""
    updates = [{"before": update["after"], "after": update["before"]} for update in patch["updated"]]
    return {"added": patch["removed"], "removed": patch["added"], "updated": updates}


@dataclass
class Step:
    """What one gesture did to the cells that the server has, each by its id."""

    before: dict[str, JsonObject]
    after: dict[str, JsonObject] = field(default_factory=dict)

    @property
    def added(self) -> list[JsonObject]:
        """New cells, lowest label first."""
        return sorted((self.after[id] for id in self.after.keys() - self.before), key=lambda c: c["label"])

    @property
    def removed(self) -> set[str]:
        """Names of the cells that went."""
        names = list(DRAWN)
        return {names[self.before[id]["label"] - 1] for id in self.before.keys() - self.after}

    @property
    def changed(self) -> dict[str, JsonObject]:
        """Cells that are not what they were, as they are now, by the names they had."""
        names = list(DRAWN)
        return {
            names[old["label"] - 1]: self.after[id]
            for id, old in self.before.items()
            if id in self.after and self.after[id] != old
        }

    def check(
        self,
        *,
        added: Sequence[Mask] = (),
        changed: Mapping[str, Mask] | None = None,
        removed: Set[str] = frozenset(),
    ) -> None:
        """These pixels and no others: new cells in the order of their labels, changed and removed ones by name."""
        changed = changed or {}
        assert (len(self.added), set(self.changed), self.removed) == (len(added), set(changed), removed)
        wanted = [*added, *changed.values()]
        found = [mask_of(cell) for cell in [*self.added, *(self.changed[name] for name in changed)]]
        wrong = [int((a != b).sum()) for a, b in zip(wanted, found, strict=True)]
        assert not any(wrong), f"pixels that differ: {wrong} of {[int(mask.sum()) for mask in wanted]}"


@dataclass(frozen=True)
class Sheet:
    """The sheet, opened in a browser window."""

    page: Page
    label_page: LabelPage
    person: Person
    image_id: str

    def begin(self) -> None:
        """All as at the start, whatever a test before left: nothing selected, nothing half done, no step to undo."""
        self.page.mouse.up()
        self.press("v", "Escape", "Escape")
        undo = self.page.get_by_test_id("undo")
        while undo.is_enabled():
            self.press("Control+z")
        self.label_page.wait_saved()

    def saved(self) -> dict[str, JsonObject]:
        """The server's cells by id."""
        return {cell["id"]: cell for cell in self.person.cells(self.image_id)["cells"]}

    @property
    def revision(self) -> int:
        return int(self.page.evaluate("window.__cellloop.revision"))

    @contextmanager
    def one_step(self) -> Iterator[Step]:
        """The gesture inside is one edit. Undo takes back every field, redo gives it again; it ends undone."""
        step, start = Step(self.saved()), self.revision
        yield step
        step.after = self._saved_at(start + 1)
        self.press("Control+z", "Control+Shift+z", "Control+z")
        assert self._saved_at(start + 4) == step.before
        edits = self.person.get(f"images/{self.image_id}/edits", params={"after": start})["edits"]
        done, undone, again, _ = [in_order(edit["patch"]) for edit in edits]
        assert undone == opposite(done)
        assert again == done

    @contextmanager
    def no_step(self, words: str) -> Iterator[None]:
        """The gesture inside changes nothing and says why."""
        start = self.revision
        yield
        message = self.page.get_by_test_id("message")
        wait_until(lambda: words in message.inner_text(), f"the words {words!r}", 5000)
        assert (self.revision, self.page.evaluate("window.__cellloop.pending")) == (start, 0)

    @contextmanager
    def option(self, label: str, choice: str, back: str) -> Iterator[None]:
        """A choice of the active tool's card, taken back afterwards."""
        self._choose(label, choice)
        yield
        self._choose(label, back)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def choose(self, tool: str) -> None:
        self.label_page.choose(tool)

    def way(self, *spots: Point) -> list[Point]:
        """The image points that the hand really meets: a pointer stands on whole pixels of the screen."""
        (left, top), (right, bottom) = (
            self.label_page.on_screen(0, 0),
            self.label_page.on_screen(WIDTH, HEIGHT),
        )
        zoom_x, zoom_y = (right - left) / WIDTH, (bottom - top) / HEIGHT
        return [
            ((round(left + x * zoom_x) - left) / zoom_x, (round(top + y * zoom_y) - top) / zoom_y)
            for x, y in spots
        ]

    def click(self, *spots: Point) -> None:
        for spot in spots:
            self.label_page.click(*self.way(spot)[0])

    def click_on(self, *names: str) -> None:
        """A click on a pixel of each cell, near its middle."""
        for name in names:
            ys, xs = np.nonzero(DRAWN[name])
            self.click((xs[xs.size // 2] + 0.5, ys[ys.size // 2] + 0.5))

    def select(self, *names: str) -> None:
        """With the select tool: the first by a click, the others by Shift and a click."""
        self.choose("select")
        self.click_on(names[0])
        with self.held("Shift"):
            self.click_on(*names[1:])

    def drag(self, *spots: Point, button: str = "left") -> list[Point]:
        """Press at the first, move through the others, let go; the points that were really met."""
        way = self.way(*spots)
        mouse = self.page.mouse
        mouse.move(*self.label_page.on_screen(*way[0]))
        mouse.down(button=button)  # type: ignore[arg-type]
        for spot in way[1:]:
            mouse.move(*self.label_page.on_screen(*spot))
        mouse.up(button=button)  # type: ignore[arg-type]
        return way

    @contextmanager
    def held(self, key: str) -> Iterator[None]:
        self.page.keyboard.down(key)
        yield
        self.page.keyboard.up(key)

    def _saved_at(self, revision: int) -> dict[str, JsonObject]:
        wait_until(lambda: self.revision >= revision, f"revision {revision}", 20_000)
        self.label_page.wait_saved()
        assert self.revision == revision, "one gesture, one edit"
        return self.saved()

    def _choose(self, label: str, choice: str) -> None:
        card = self.page.get_by_test_id("tool-card")
        segments = card.get_by_role("radiogroup", name=label, exact=True)
        if segments.count() > 0:
            segments.get_by_text(choice, exact=True).click()
        else:
            card.get_by_role("combobox", name=label, exact=True).click()
            self.page.get_by_role("option", name=choice, exact=True).click()
