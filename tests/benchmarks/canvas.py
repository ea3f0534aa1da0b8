"""The labelling page's canvas: what it costs follows what is touched, not how many cells there are.

Drives the real page in headless Chromium: images of 4096 x 4096 with 0, 100, 1,000 and 10,000 cells in turn, so that a
busy machine slows all of them alike. A time runs from the pointer's event until the graphics have finished drawing what
it caused; an edit's also until the page is idle again. Work is the processor time that all of the browser took for it,
which a busy machine hardly changes.
"""

from __future__ import annotations

import io
import os
import statistics
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from backend.supervisor import Stack
from labeling.rle import encode
from tests.benchmarks.report import Figure, table
from tests.benchmarks.setting import clean_environ
from tests.e2e.chromium import launch_chromium
from tests.e2e.pages import LabelPage, log_in
from tests.integration.http_client import JsonObject, Person, checked

SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
SIDE, LARGE_SIDE = 4096, 20_000
PITCH, RADIUS = 40, 15  # pixels: 102 x 102 places for a cell
MIDDLE = (
    SIDE // PITCH // 2 * PITCH + PITCH // 2
)  # of the middle place, which has a cell unless the image is empty
COUNTS = (0, 100, 1000, 10_000)
BASE = 100  # what the others are compared with
AT_ONCE = 2000  # cells in one edit while an image is filled
GOAL = 1.3
WARM_ROUNDS = 1  # compile shaders, make textures
SETTLE_MS = 2500  # tiles of a new zoom come and are drawn


@dataclass(frozen=True, slots=True)
class Effort:
    """How often each thing is done in a round, and how many rounds there are."""

    rounds: int
    steps: int


FULL = Effort(rounds=14, steps=5)  # many short rounds: a burst of other load meets all cases
QUICK = Effort(rounds=1, steps=4)

# What is measured, and how it is called in the table.
ACTS = {
    "pan_all": "a frame while panning, all cells in view",
    "pan": "a frame while panning, at 100 %",
    "hover": "hover: pick and highlight",
    "dab": "a dab of the brush",
    "edit": "an edit, seen",
    "edit_whole": "an edit, until the page is idle",
}
WORKS = {
    "pan_all": ACTS["pan_all"],
    "pan": ACTS["pan"],
    "hover": ACTS["hover"],
    "stroke": "a stroke and its edit, a dab",
}
TICKS_PER_MS = os.sysconf("SC_CLK_TCK") / 1000


@dataclass
class Case:
    """One image with its number of cells, open in a page of its own, and the milliseconds measured there."""

    cells: int
    page: Page
    label_page: LabelPage
    times: dict[str, list[float]] = field(default_factory=lambda: {act: [] for act in ACTS})
    work: dict[str, list[float]] = field(default_factory=lambda: {act: [] for act in WORKS})

    def median(self, act: str) -> float:
        return statistics.median(self.times[act])

    def total(self, act: str) -> float:
        return sum(self.work[act])


def section(about: str, figures: list[Figure]) -> str:
    """The text of the section in docs/benchmarks.md."""
    return f"""Taken by `python -m tests.benchmarks --only canvas --large --write` on the real labelling page in
headless Chromium, which draws in software on a machine without a GPU: the ratios are what counts, the times are an
upper bound. Work is processor time of the browser; time is what the clock says, on a machine that did other things too.

{about}

{table(figures)}"""


def measured(effort: Effort, *, large: bool) -> Iterator[Figure]:
    """All figures, from a stack in a folder of its own that is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="cellloop-bench-") as folder,
        Stack(data_dir=Path(folder) / "data", port=0, environ=clean_environ(), durable=False) as stack,
    ):
        person = Person(stack.url, "admin", stack.admin_password)
        project = person.project("Canvas")
        image = picture(SIDE, np.uint16)
        images = {cells: filled(person, project, image, cells) for cells in COUNTS}
        big = uploaded(person, project, "large.tif", picture(LARGE_SIDE, np.uint8)) if large else None
        with sync_playwright() as playwright:
            browser = launch_chromium(playwright)
            context = signed_in(browser, stack)
            yield from against_cells(context, images, effort)
            if big:
                yield from opening(context, str(big["id"]), effort)
            browser.close()


def signed_in(browser: Browser, stack: Stack) -> BrowserContext:
    context = browser.new_context(base_url=stack.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    log_in(page, "admin", stack.admin_password)
    page.close()
    return context


def against_cells(context: BrowserContext, images: dict[int, str], effort: Effort) -> Iterator[Figure]:
    """Each act's ratio to the same act with BASE cells, then the times themselves."""
    cases = [opened(context, image, cells) for cells, image in images.items()]
    for number in range(WARM_ROUNDS + effort.rounds):
        for case in cases:
            play(case, effort.steps, keep=number >= WARM_ROUNDS)
    yield from ratios(cases)
    for act, words in WORKS.items():
        for case in cases:
            yield Figure(f"work of {words}, {case.cells:,} cells", statistics.mean(case.work[act]), "ms")
    for act, words in ACTS.items():
        for case in cases:
            note = f"median of {len(case.times[act])}"
            yield Figure(f"time of {words}, {case.cells:,} cells", case.median(act), "ms", note=note)


def ratios(cases: list[Case]) -> Iterator[Figure]:
    """What other numbers of cells than BASE cost against it: work first, then time. None at all has no goal to meet."""
    (base,) = [case for case in cases if case.cells == BASE]
    others = [case for case in cases if case is not base]
    measures = [
        *(
            ("work", words, base.total(act), [each.total(act) for each in others])
            for act, words in WORKS.items()
        ),
        *(
            ("time", words, base.median(act), [each.median(act) for each in others])
            for act, words in ACTS.items()
        ),
    ]
    for kind, words, of_base, of_others in measures:
        for case, value in zip(others, of_others, strict=True):
            goal = GOAL if case.cells > BASE else None
            yield Figure(
                f"{kind} of {words}: {case.cells:,} cells against {BASE}", value / of_base, "times", goal
            )


def opened(context: BrowserContext, image: str, cells: int) -> Case:
    page = context.new_page()
    page.goto(f"/images/{image}")
    label_page = LabelPage(page)
    label_page.wait_until_loaded()
    label_page.wait_for_cells(cells)
    page.evaluate(SCRIPT)
    page.wait_for_timeout(SETTLE_MS)
    return Case(cells=cells, page=page, label_page=label_page)


def play(case: Case, steps: int, *, keep: bool) -> None:
    """One round of all acts; the edit is undone, so that every round finds the same cells."""
    page = case.page
    times: dict[str, list[float]] = {}
    work: dict[str, float] = {}

    def act(name: str, call: str, *arguments: object) -> Any:
        before = browser_ms()
        found = page.evaluate(f"args => window.__canvasBench.{call}(...args)", [steps, *arguments])
        work[name] = (browser_ms() - before) / steps
        return found

    page.bring_to_front()
    page.keyboard.press("Home")
    page.wait_for_timeout(SETTLE_MS / 8)
    times["pan_all"] = act("pan_all", "pan")
    page.evaluate("at => window.__canvasBench.zoomTo(1, at, at)", MIDDLE)
    page.wait_for_timeout(SETTLE_MS / 8 if keep else SETTLE_MS)
    times["pan"] = act("pan", "pan")
    times["hover"] = act("hover", "hover", [MIDDLE, MIDDLE], [MIDDLE + PITCH / 2, MIDDLE + PITCH / 2])
    page.keyboard.press("b")
    stroke = act("stroke", "stroke", MIDDLE + 2.5 * PITCH, MIDDLE + 2.5 * PITCH)
    times |= {"dab": stroke["dabs"], "edit": [stroke["seen"]], "edit_whole": [stroke["whole"]]}
    page.keyboard.press("Control+z")
    case.label_page.wait_for_cells(case.cells)
    case.label_page.wait_saved()
    page.keyboard.press("v")
    if keep:
        for name, found in times.items():
            case.times[name] += found
        for name, spent in work.items():
            case.work[name].append(spent)


def browser_ms() -> float:
    """Processor time of all processes below this one so far: the browser's pages and graphics."""
    return sum(ticks(pid) for pid in below(os.getpid())) / TICKS_PER_MS


def below(pid: int) -> list[int]:
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:  # it has ended
        return []
    return children + [deeper for child in children for deeper in below(child)]


def ticks(pid: int) -> int:
    """User and system time of one browser process; 0 for any other."""
    try:
        if "--type=" not in Path(f"/proc/{pid}/cmdline").read_text():
            return 0
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:  # it has ended
        return 0
    return int(after_name[11]) + int(after_name[12])


def opening(context: BrowserContext, image: str, effort: Effort) -> Iterator[Figure]:
    """An image that no screen and no texture could hold whole."""
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/tiles/" in request.url else None)
    page.goto(f"/images/{image}")
    LabelPage(page).wait_until_loaded()
    page.evaluate(SCRIPT)
    page.wait_for_timeout(SETTLE_MS)
    all_tiles = 2 * (LARGE_SIDE // 512 + 1) ** 2
    yield Figure(
        "tiles fetched to open 20,000 x 20,000", len(asked), "", 64, f"of {all_tiles:,} at full size, two channels"
    )  # fmt: skip
    page.evaluate("at => window.__canvasBench.zoomTo(1, at, at)", LARGE_SIDE / 2)
    page.wait_for_timeout(SETTLE_MS)
    times: list[float] = page.evaluate("steps => window.__canvasBench.pan(steps)", effort.steps * 4)
    yield Figure("a frame while panning there, at 100 %", statistics.median(times), "ms")
    page.close()


def picture(side: int, dtype: type[np.uint8 | np.uint16]) -> bytes:
    """A (2, side, side) TIFF. Nobody says what its two channels are, so that no model runs on it."""
    random = np.random.default_rng(3)
    place = np.arange(side) % PITCH - PITCH / 2 + 0.5
    disc: NDArray[np.bool_] = np.hypot(place[:PITCH, None], place[None, :PITCH]) < RADIUS
    repeats = -(-side // PITCH)
    array = np.empty((2, side, side), dtype=dtype)
    array[0] = np.tile(disc.astype(dtype) * 150, (repeats, repeats))[:side, :side]
    grain = random.integers(10, 60, (512, 512)).astype(dtype)
    repeats = -(-side // 512)
    array[1] = np.tile(grain, (repeats, repeats))[:side, :side]
    array[0] += array[1]
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, compression="zlib", metadata={"axes": "CYX"})
    return buffer.getvalue()


def uploaded(person: Person, project: str, name: str, content: bytes) -> JsonObject:
    image: JsonObject = checked(person.upload(project, name, content)).json()
    return person.wait_settled(image["id"], seconds=900)


def filled(person: Person, project: str, content: bytes, count: int) -> str:
    """The id of an uploaded image into which a person put so many cells."""
    image = uploaded(person, project, f"{count} cells.tif", content)
    cells = round_cells(count)
    for start in range(0, count, AT_ONCE):
        patch = {"added": cells[start : start + AT_ONCE], "updated": [], "removed": []}
        image |= {
            "revision": person.edit(image["id"], base_revision=image["revision"], patch=patch)["revision"]
        }
    return str(image["id"])


def round_cells(count: int) -> list[JsonObject]:
    """So many discs spread evenly over the places, the one in the middle always among them."""
    across = SIDE // PITCH
    middle = (across // 2) * across + across // 2
    chosen = {(middle + number * across * across // count) % (across * across) for number in range(count)}
    place = np.arange(2 * RADIUS) - RADIUS + 0.5
    runs = encode(np.hypot(place[:, None], place[None, :]) < RADIUS)
    margin = PITCH // 2 - RADIUS
    cells = []
    for label, number in enumerate(sorted(chosen), 1):
        left, top = number % across * PITCH + margin, number // across * PITCH + margin
        cells.append(
            {
                "id": str(uuid.uuid4()),
                "label": label,
                "box": [left, top, left + 2 * RADIUS, top + 2 * RADIUS],
                "rle": runs,
                "score": None,
                "source": "person",
                "model_version": None,
            }
        )
    return cells
