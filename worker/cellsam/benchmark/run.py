"""One benchmark: ours and the plain port by turns in one process, so that ratios hold on a machine with other work."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from labeling.simulate import simulate
from worker.cellsam.benchmark.gpu import throughput
from worker.cellsam.benchmark.marks import (
    DECODING,
    NECK,
    PREPROCESSING,
    STAGES,
    TRUNK,
    Marks,
    Spent,
    forget_peak,
    peak_mb,
)
from worker.cellsam.benchmark.ours import timed_segment
from worker.cellsam.benchmark.placed_boxes import PlacedBoxes
from worker.cellsam.benchmark.plain import PlainCellSAM
from worker.cellsam.benchmark.prompts import prompt_figures
from worker.cellsam.model import CellSAM
from worker.cellsam.predictor import Predictor

EVERY_MASK = -1e9  # a predicted IoU that all masks have
NAMES: dict[torch.dtype | None, str] = {None: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}

Labels = NDArray[np.int32]
Way = Callable[[Marks], Labels]


@dataclass(frozen=True, slots=True)
class Task:
    """`boxes`: how many are placed; None: those that the model finds. `precisions`: None is float32, which comes
    first. `against`: nothing, the plain port, or also the released package's default call.
    """

    image_px: int
    boxes: int | None
    repeat: int
    precisions: Sequence[torch.dtype | None]
    against: str


@dataclass(frozen=True, slots=True)
class Taken:
    """The fastest of a way's runs, by its processors' seconds."""

    marks: Marks
    peak_mb: float | None
    labels: Labels

    def as_json(self) -> dict[str, Any]:
        spent = self.marks.stages
        stages = {name: spent[name].as_json() for name in STAGES if name in spent}
        return {
            **self.marks.total.as_json(),
            "peak_mb": None if self.peak_mb is None else round(self.peak_mb),
            "cells": int(self.labels.max(initial=0)),
            "stages": stages,
        }


def benchmark(model: CellSAM, task: Task) -> dict[str, Any]:
    """All that can be said about a model on this machine, as JSON. Raises BenchmarkError."""
    thresholds = model.config.thresholds
    if task.boxes is not None:
        model = model.with_parts({"finder": PlacedBoxes(model.finder, task.boxes)})
        thresholds = replace(thresholds, iou=EVERY_MASK)
    device = next(model.parameters()).device
    image = simulate(
        "nuclei", height=task.image_px, width=task.image_px, cells=task.image_px // 8, seed=0
    ).image[0]
    predictors = [
        Predictor(model, thresholds=thresholds, precision=precision) for precision in task.precisions
    ]
    ways: dict[str, Way] = {
        f"ours {NAMES[predictor.precision]}": partial(timed_segment, predictor, image)
        for predictor in predictors
    }
    plain = PlainCellSAM(model, thresholds)
    if task.against != "nothing":
        ways["plain fp32"] = partial(plain.segment, image)
    if task.against == "default":
        ways["plain fp32, default call"] = partial(plain.segment_by_default, image)
    taken = _by_turns(ways, task.repeat, device)
    about = {
        "image": list(image.shape),
        "boxes": task.boxes,
        "runs": {name: way.as_json() for name, way in taken.items()},
        "ratios": _ratios(taken),
        "agreement": _agreement(taken),
        "prompt": {
            NAMES[it.precision]: prompt_figures(it, image, _repeated(taken.get("plain fp32"), task.boxes))
            for it in predictors
        },
    }
    if device.type == "cuda":
        about["gpu"] = throughput(
            model, [precision for precision in task.precisions if precision is not None]
        )
    return about


def machine(device: torch.device) -> dict[str, Any]:
    """Where, when and with what."""
    capabilities = torch.cpu.get_capabilities()
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "bf16_products": bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")),
        "device": str(device) if device.type == "cpu" else torch.cuda.get_device_name(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def _by_turns(ways: dict[str, Way], repeat: int, device: torch.device) -> dict[str, Taken]:
    best: dict[str, Taken] = {}
    for _ in range(repeat):
        for name, way in ways.items():
            forget_peak(device)
            marks = Marks.started(device)
            labels = way(marks)
            if name not in best or marks.total.cpu_seconds < best[name].marks.total.cpu_seconds:
                best[name] = Taken(marks, peak_mb(device), labels)
    return best


def _ratios(taken: dict[str, Taken]) -> dict[str, Any]:
    """How many times ours is faster, and smaller, than each plain way."""
    return {
        f"{theirs} / {ours}": {
            **plain.marks.total.times(way.marks.total),
            "peak_mb": plain.peak_mb and way.peak_mb and round(plain.peak_mb / way.peak_mb, 2),
        }
        for theirs, plain in taken.items()
        if theirs.startswith("plain")
        for ours, way in taken.items()
        if ours.startswith("ours")
    }


def _agreement(taken: dict[str, Taken]) -> dict[str, float]:
    """Share of pixels whose label is that of ours in float32."""
    exact = taken["ours fp32"].labels
    return {
        name: float(np.mean(way.labels == exact))
        for name, way in taken.items()
        if name != "ours fp32" and "default" not in name
    }


def _repeated(plain: Taken | None, boxes: int | None) -> Spent | None:
    """What a box costs that begins with the pixels, as in the released package's plugin: no CellFinder, one mask."""
    if plain is None or not boxes:
        return None
    stages = plain.marks.stages
    return stages[PREPROCESSING] + stages[TRUNK] + stages[NECK] + stages[DECODING] / boxes


def _processor() -> str:
    about = Path("/proc/cpuinfo")
    for line in about.read_text().splitlines() if about.exists() else ():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
