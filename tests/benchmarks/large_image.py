"""An image of any size, read from its file in parts: memory that does not grow with it, and the time for each part."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import tifffile
import torch
from numpy.typing import NDArray

from backend.programs import ROOT
from labeling.simulate import simulate
from tests.benchmarks.report import Figure
from worker.cellsam import TINY, CellSAM
from worker.cellsam.build import build
from worker.cellsam.checkpoint import Card, save

FULL, QUICK, LARGE = (4000, 8000), (1000, 2000), (5000, 20_000)  # pixels on a side
FIELD, CELLS = 1000, 400  # of each 1000 x 1000
THREADS = 2
SHIPPED = ROOT / "worker" / "weights" / "tiny.safetensors"

ALONE = """
import json, resource, sys, time
from pathlib import Path
import torch
from worker.cellsam import Predictor, load
from worker.cellsam.label_file import LabelFile
from worker.cellsam.sources import open_source
torch.set_num_threads(int(sys.argv[1]))
predictor = Predictor(load(Path(sys.argv[2])))
image = Path(sys.argv[3])
source = open_source(image)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.perf_counter()
with LabelFile(image.with_suffix(".labels.tif"), source.height, source.width) as labels:
    predictor.segment_into(labels, source, ("nuclear",))
seconds = time.perf_counter() - started
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, before, labels.count]))
"""


def figures(*, quick: bool, large: bool) -> Iterator[Figure]:
    """With the shipped model, and with a thin one of the large sizes if wanted: the shipped one takes an hour there."""
    yield from measure(QUICK if quick else FULL, SHIPPED, "the shipped model")
    if large:
        with tempfile.TemporaryDirectory(prefix="cellloop-thin-") as folder:
            weights = Path(folder) / "thin.safetensors"
            save(thin_model(), weights, card=Card())
            yield from measure(LARGE, weights, "a thin model with random weights")


def thin_model() -> CellSAM:
    """The shipped model's tiles and tokens, with a trunk and a CellFinder that take next to no time. It takes all
    of its few queries for cells, so that there are masks to decode, to stitch and to write."""
    trunk = replace(
        TINY.trunk, dim=24, depth=1, heads=2, global_blocks=(), stem_widths=(8, 8, 8), stem_blocks=(0, 0, 0)
    )
    finder = replace(TINY.finder, dim=24, heads=2, ffn_dim=24, decoder_layers=1, queries=16)
    mask = replace(TINY.mask, dim=32, heads=2, mlp_dim=32, iou_hidden_dim=16)
    thresholds = replace(TINY.thresholds, box=0.0, iou=-1e9)
    torch.manual_seed(0)
    return build(replace(TINY, name="thin", trunk=trunk, finder=finder, mask=mask, thresholds=thresholds))


def measure(sides: tuple[int, ...], weights: Path, model: str) -> Iterator[Figure]:
    """Each size in a process of its own; the last figure compares the largest with the smallest."""
    peaks = []
    for side in sides:
        with tempfile.TemporaryDirectory(prefix="cellloop-large-") as folder:
            image = Path(folder) / "mosaic.tif"
            write_mosaic(image, side)
            seconds, peak, before, cells = _alone(image, weights)
        peaks.append(peak)
        note = f"{model}; tiled TIFF of {side} x {side} to a label TIFF, {cells} cells; {THREADS} threads"
        yield Figure(f"{side} x {side}, peak memory", peak / 2**20, "GB", note=note)
        yield Figure(
            f"{side} x {side}, of it with the model loaded and nothing read", before / 2**20, "GB", note=note
        )
        yield Figure(f"{side} x {side}, time for a megapixel", seconds / side**2 * 1e6, "s", note=note)
    yield Figure(
        f"peak memory, {sides[-1]} against {sides[0]} on a side",
        peaks[-1] / peaks[0],
        "times",
        1.2,
        note=f"{model}; {(sides[-1] / sides[0]) ** 2:.0f} times the pixels",
    )


def write_mosaic(path: Path, side: int) -> None:
    """A field of simulated nuclei, turned and mirrored side by side; uint16, 512 x 512 tiles, never whole in memory."""
    field = simulate("nuclei", height=FIELD, width=FIELD, cells=CELLS, seed=7).image[0]
    turned = [np.rot90(turn, quarters) for turn in (field, field[::-1]) for quarters in range(4)]

    def tiles() -> Iterator[NDArray[np.uint16]]:
        for top in range(0, side, 512):
            rows = range(top, min(side, top + 512))
            band = np.concatenate(
                [
                    np.concatenate([_piece(turned, y, x)[y % FIELD] for x in range(0, side, FIELD)])[
                        None, :side
                    ]
                    for y in rows
                ]
            )
            for left in range(0, side, 512):
                yield np.ascontiguousarray(band[:, left : left + 512])

    tifffile.imwrite(
        path,
        tiles(),
        shape=(side, side),
        dtype=np.uint16,
        tile=(512, 512),
        compression="zlib",
        compressionargs={"level": 1},
        photometric="minisblack",
        bigtiff=True,
    )


def _piece(turned: list[NDArray[np.uint16]], y: int, x: int) -> NDArray[np.uint16]:
    return turned[(y // FIELD * 5 + x // FIELD * 3) % len(turned)]


def _alone(image: Path, weights: Path) -> tuple[float, int, int, int]:
    """Seconds, peak and beginning resident memory in KiB, cells."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(THREADS), str(weights), str(image)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    seconds, peak, before, cells = json.loads(done.stdout)
    return seconds, peak, before, cells
