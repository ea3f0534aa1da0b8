"""Seconds for an uploaded image, from the request to its cells, against the bare model's on the same images."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from backend.programs import NICENESS, ROOT
from tests.benchmarks.report import Figure
from tests.benchmarks.setting import Size, field
from tests.integration.http_client import Person, checked

WEIGHTS = ROOT / "worker" / "weights" / "tiny.safetensors"

# In a process of its own, as niced and with as many threads as the worker: the same work without CellLoop around it.
BARE = """
import json, sys, time, torch, tifffile
from worker.cellsam import Predictor, load
torch.set_num_threads(1)
predictor = Predictor(load(sys.argv[1]))
images = [tifffile.imread(path) for path in sys.argv[2:]]
predictor.segment(images[0], ("whole_cell",))
started = time.perf_counter()
for image in images:
    predictor.segment(image, ("whole_cell",))
print(json.dumps((time.perf_counter() - started) / len(images)))
"""


def measure(person: Person, size: Size) -> Iterator[Figure]:
    """The bare model before and after, so that a machine that grows busier weighs on both sides."""
    scenes = [field(500 + number) for number in range(size.batch)]
    warm = person.project("One image to warm up")
    person.wait_settled(checked(person.upload(warm, "field.tif", field(499).tiff)).json()["id"])
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number:03}.tif" for number in range(size.batch)]
        for path, scene in zip(paths, scenes, strict=True):
            path.write_bytes(scene.tiff)
        before = bare_seconds(paths)
        uploaded = uploaded_seconds(person, paths)
        bare = (before + bare_seconds(paths)) / 2
    note = f"{size.batch} images of 512 x 512, about 30 cells; first request to last cell"
    yield Figure("seconds for an uploaded image", uploaded, "s", note=note)
    yield Figure("seconds of the bare model for it", bare, "s", note="one thread, mean of before and after")
    yield Figure("overhead of an upload over the bare model", 100 * (uploaded / bare - 1), "%", 10)


def uploaded_seconds(person: Person, paths: list[Path]) -> float:
    project = person.project("A timed batch")
    started = time.perf_counter()
    for path in paths:
        checked(person.upload(project, path.name, path.read_bytes()))
    while any(person.get(f"projects/{project}")["counts"][name] for name in ("queued", "segmenting")):
        time.sleep(0.3)  # asking costs the machine something too
    return (time.perf_counter() - started) / len(paths)


def bare_seconds(paths: list[Path]) -> float:
    done = subprocess.run(
        [sys.executable, "-c", BARE, str(WEIGHTS), *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        preexec_fn=lambda: os.nice(NICENESS["segment"]),
    )
    return float(json.loads(done.stdout))
