"""Decoding an image again after a promotion, on cached features, against segmenting it from its pixels."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import torch

from backend.programs import ROOT
from tests.benchmarks.report import Figure
from tests.benchmarks.setting import Size
from tests.scenes import nuclei
from worker.cellsam import Predictor, load

SIDE = 512
CELLS = (20, 200)  # of an image
THREADS = 1  # as background work runs on a CPU


def measure(size: Size) -> Iterator[Figure]:
    """Both in turn, in seconds of processor time: whatever else the machine does slows both, and counts for neither."""
    threads = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        predictor = Predictor(load(ROOT / "worker" / "weights" / "tiny.safetensors"))
        for cells in CELLS:
            yield from _of_cells(predictor, cells, repetitions=max(2, size.batch // 4))
    finally:
        torch.set_num_threads(threads)


def _of_cells(predictor: Predictor, cells: int, *, repetitions: int) -> Iterator[Figure]:
    scene = nuclei(20_000, side=SIDE, cells=cells)
    features = predictor.embed(scene.image, ("nuclear",))
    whole, again = [], []
    for _ in range(repetitions):
        whole.append(_seconds(lambda: predictor.segment(scene.image, ("nuclear",))))
        calls = predictor.trunk_calls
        again.append(_seconds(lambda: predictor.segment_features(features)))
        assert predictor.trunk_calls == calls
    found = len(predictor.segment_features(features).masks)
    note = (
        f"{SIDE} x {SIDE}, {found} cells found, processor time on {THREADS} thread, median of {repetitions}"
    )
    yield Figure(f"full segmentation, {cells} cells", statistics.median(whole), "s")
    ratio = statistics.median(again) / statistics.median(whole)
    yield Figure(f"re-decode against that, {cells} cells", ratio, "times", 1, note)


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
