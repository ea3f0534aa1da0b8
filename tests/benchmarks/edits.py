"""Saving one edit: it costs what it touches, not what the image holds."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Iterator

import numpy as np
import tifffile

from tests.benchmarks.report import Figure
from tests.benchmarks.setting import Size
from tests.integration.http_client import JsonObject, Person, cell, checked

SIDE, STEP, CELL = 2048, 20, 12  # pixels: room for 10,000 cells of 12 x 12
FEW, MANY = 100, 10_000
AT_ONCE = 2000  # cells in one edit while the image is filled


def measure(person: Person, size: Size) -> Iterator[Figure]:
    """Alternately at the image with few and the one with many cells."""
    project = person.project("Edits")
    images = {count: filled(person, project, count) for count in (FEW, MANY)}
    seconds: dict[int, list[float]] = {FEW: [], MANY: []}
    for number in range(size.edits + 4):
        for count, image in images.items():
            took = saved(person, image)
            if number >= 4:  # the first ones warm connections and caches
                seconds[count].append(took)
    few, many = (1000 * statistics.median(seconds[count]) for count in (FEW, MANY))
    yield Figure(
        "saving one edit, 100 cells in the image, p50", few, "ms", note=f"{size.edits} edits over HTTP"
    )
    yield Figure("saving one edit, 10,000 cells in the image, p50", many, "ms")
    yield Figure("10,000 cells against 100", many / few, "times", 1.3)


def filled(person: Person, project: str, count: int) -> JsonObject:
    """An empty field into which a person put so many cells; its id and revision."""
    buffer = io.BytesIO()
    blank = np.full((SIDE, SIDE), 100 + count % 7, dtype=np.uint8)
    tifffile.imwrite(buffer, blank, compression="zlib")
    uploaded = checked(person.upload(project, f"{count}.tif", buffer.getvalue())).json()
    image = person.wait_settled(uploaded["id"], seconds=900)
    assert image["cells"] == 0, "the model saw cells in an empty field"
    cells = [square(number) for number in range(count)]
    for start in range(0, count, AT_ONCE):
        patch = {"added": cells[start : start + AT_ONCE], "updated": [], "removed": []}
        image |= person.edit(image["id"], base_revision=image["revision"], patch=patch) | {"id": image["id"]}
    return image | {"last": cells[-1]}


def square(number: int) -> JsonObject:
    across = SIDE // STEP
    x, y = (number % across) * STEP, (number // across) * STEP
    return cell(number + 1, (x, y, x + CELL, y + CELL), [0, CELL * CELL])


def saved(person: Person, image: JsonObject) -> float:
    """Seconds to reshape one cell. Keeps the image's revision and cell up to date."""
    before = image["last"]
    x0, y0, x1, y1 = before["box"]
    side = 11 if y1 - y0 == CELL else CELL
    after = before | {"box": [x0, y0, x1, y0 + side], "rle": [0, CELL * side]}
    patch = {"added": [], "updated": [{"before": before, "after": after}], "removed": []}
    started = time.perf_counter()
    answer = person.edit(image["id"], base_revision=image["revision"], patch=patch)
    took = time.perf_counter() - started
    image |= {"last": after, "revision": answer["revision"]}
    return took
