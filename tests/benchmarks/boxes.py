"""A person's box to a mask, over HTTP: on a quiet stack, and while a batch of uploads is being segmented."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmarks.report import Figure
from tests.benchmarks.setting import Size, field
from tests.integration.http_client import JsonObject, Person, checked

PAUSE_S = 0.3  # between two boxes: a quick person
WARM_UP = 5


@dataclass(frozen=True, slots=True)
class Timed:
    """Milliseconds of each box: at the client, and of the model within."""

    total_ms: list[float]
    model_ms: list[float]

    @property
    def p50(self) -> float:
        return statistics.median(self.total_ms)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.total_ms, n=20)[-1]

    @property
    def other_share(self) -> float:
        """The share of a box's time that is not the model's."""
        return 1 - sum(self.model_ms) / sum(self.total_ms)


def measure(person: Person, size: Size) -> Iterator[Figure]:
    """Quiet first, then the same boxes under load."""
    scene = field(0)
    project = person.project("Boxes")
    image = person.wait_settled(checked(person.upload(project, "field.tif", scene.tiff)).json()["id"])
    boxes = [[float(side) for side in mask.box] for mask in scene.masks]
    drawn(person, image, boxes, WARM_UP)
    quiet = drawn(person, image, boxes, size.boxes)
    yield Figure("box to mask, p50", quiet.p50, "ms", 150, f"{size.boxes} boxes, warm, one each {PAUSE_S} s")
    yield Figure("box to mask, p95", quiet.p95, "ms")
    yield Figure("share of that time that is not the model's", 100 * quiet.other_share, "%")
    batch = person.project("A batch behind the boxes")
    for number in range(size.uploads):
        checked(person.upload(batch, f"{number:03}.tif", field(100 + number).tiff))
    drawn(person, image, boxes, WARM_UP)
    busy = drawn(person, image, boxes, size.boxes)
    left = unfinished(person, batch)
    note = f"while {size.uploads} uploads are segmented; {left} of them were left when the last box came back"
    yield Figure("box to mask under load, p50", busy.p50, "ms", note=note)
    yield Figure("box to mask under load, p95", busy.p95, "ms")
    yield Figure("p50 under load against quiet", busy.p50 / quiet.p50, "times", 2)
    person.wait_all_settled(batch, seconds=1800)


def drawn(person: Person, image: JsonObject, boxes: list[list[float]], count: int) -> Timed:
    total, model = [], []
    for number in range(count):
        started = time.perf_counter()
        answer = checked(person.decode(image["id"], boxes[number % len(boxes)])).json()
        total.append((time.perf_counter() - started) * 1000)
        model.append(float(answer["timings"]["model_ms"]))
        time.sleep(PAUSE_S)
    return Timed(total, model)


def unfinished(person: Person, project: str) -> int:
    counts = person.get(f"projects/{project}")["counts"]
    return int(counts["queued"] + counts["segmenting"])
