"""The shipped model by itself on two threads: from a file to a label file, and a prompt on cached features."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from backend.programs import ROOT
from tests.benchmarks.report import Figure
from tests.benchmarks.setting import Size, field

IMAGES = 12
THREADS = 2

ALONE = """
import json, statistics, sys, time
from pathlib import Path
import numpy as np, tifffile, torch
from worker.cellsam import Predictor, load
torch.set_num_threads(int(sys.argv[1]))
predictor = Predictor(load(Path(sys.argv[2])))
files = [Path(path) for path in sys.argv[3:]]
whole, prompts, cells = [], [], []
for path in files[:1] + files:  # the first is a warm-up
    started = time.perf_counter()
    found = predictor.segment(tifffile.imread(path), ("whole_cell",))
    tifffile.imwrite(path.with_suffix(".labels.tif"), found.labels.astype(np.uint16), compression="zlib")
    whole.append(time.perf_counter() - started)
    cells.append(len(found.masks))
features = predictor.embed(tifffile.imread(files[0]), ("whole_cell",))
for x in range(20, 420, 8):
    box = np.array([[x, x, x + 40, x + 36]], dtype=np.float32)
    started = time.perf_counter()
    predictor.decode(features, boxes=box)
    prompts.append(time.perf_counter() - started)
whole = whole[1:]
print(json.dumps([statistics.median(whole), max(whole), statistics.median(prompts[5:]), statistics.mean(cells)]))
"""


def measure(size: Size) -> Iterator[Figure]:
    """In a process of its own: the benchmark's own memory and threads do not count."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number:03}.tif" for number in range(min(IMAGES, size.batch))]
        for number, path in enumerate(paths):
            path.write_bytes(field(900 + number).tiff)
        weights = ROOT / "worker" / "weights" / "tiny.safetensors"
        done = subprocess.run(
            [sys.executable, "-c", ALONE, str(THREADS), str(weights), *map(str, paths)],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
    whole, slowest, prompt, cells = json.loads(done.stdout)
    note = f"{len(paths)} images of 512 x 512 of which it finds {cells:.0f} cells each; {THREADS} threads"
    yield Figure("file to label file, p50", whole, "s", 1.5, note=note)
    yield Figure("file to label file, slowest", slowest, "s")
    yield Figure(
        "a prompt on cached features, p50", 1000 * prompt, "ms", 40, note=f"{THREADS} threads, no server"
    )
