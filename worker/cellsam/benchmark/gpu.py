"""Throughput on a GPU: images and prompts by batch size against plain modules, and the share of the card's peak."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from worker.cellsam.benchmark.placed_boxes import rows_of_boxes
from worker.cellsam.benchmark.plain import plain_answer, plain_decode, plain_trunk
from worker.cellsam.benchmark.prompts import BATCHES
from worker.cellsam.boxes import corners
from worker.cellsam.model import CellSAM

WARM, RUNS = 3, 10
PEAK_SIDE = 8192  # of the square product that stands for the card's peak


@torch.no_grad()
def throughput(model: CellSAM, precisions: Sequence[torch.dtype]) -> dict[str, Any]:
    """Trunks and CellFinder by the image, the decoder by the prompt, as JSON: the plain port in float32, ours in each
    of these.
    """
    device = next(model.parameters()).device
    side = model.config.trunk.input_px
    boxes = corners(rows_of_boxes(max(BATCHES))).to(device) * side
    pixels = torch.rand(max(BATCHES), 3, side, side, device=device)
    embedding = model.neck(model.trunk(pixels[:1]))

    def plain_prompts(count: int) -> None:
        for box in boxes[:count]:
            plain_decode(model, embedding, box[None])

    figures = {
        "plain fp32": _figures(
            _per_second(lambda count: _plain_images(model, pixels[:count]), device),
            _per_second(plain_prompts, device),
        )
    }
    for precision in precisions:
        with torch.autocast("cuda", precision):
            images = _per_second(lambda count: _images(model, pixels[:count]), device)
            prompts = _per_second(lambda count: model.decode(embedding, boxes_xyxy=boxes[:count]), device)
            share = _share_of_peak(model, pixels[:1], images, precision)
        figures[f"ours {precision}"] = {**_figures(images, prompts), "share_of_peak": share}
    return figures


def _images(model: CellSAM, pixels: Tensor) -> None:
    maps = [trunk(pixels) for trunk in model.trunks.values()]
    model.find(maps[-1])


def _plain_images(model: CellSAM, pixels: Tensor) -> None:
    maps = [plain_trunk(trunk, pixels) for trunk in model.trunks.values()]
    plain_answer(model.finder, maps[-1])


def _figures(images: dict[int, float], prompts: dict[int, float]) -> dict[str, Any]:
    return {
        "images_per_second": {count: round(rate, 2) for count, rate in images.items()},
        "ms_per_prompt": {count: round(1000 / rate, 3) for count, rate in prompts.items()},
    }


def _per_second(act: Callable[[int], object], device: torch.device) -> dict[int, float]:
    """Items a second by batch size; a batch that does not fit in memory is left out."""
    rates: dict[int, float] = {}
    for count in BATCHES:
        try:
            rates[count] = count / _seconds(partial(act, count), device)
        except torch.cuda.OutOfMemoryError:
            torch.cuda.empty_cache()
    return rates


def _seconds(act: Callable[[], object], device: torch.device) -> float:
    for _ in range(WARM):
        act()
    torch.cuda.synchronize(device)
    started = time.perf_counter()
    for _ in range(RUNS):
        act()
    torch.cuda.synchronize(device)
    return (time.perf_counter() - started) / RUNS


def _share_of_peak(model: CellSAM, pixels: Tensor, rates: dict[int, float], precision: torch.dtype) -> float:
    """Operations that the fastest batch size does in a second, as a share of what one large product does."""
    with FlopCounterMode(display=False) as counter:
        _images(model, pixels)
    square = torch.rand(PEAK_SIDE, PEAK_SIDE, device=pixels.device, dtype=precision)
    peak = 2 * PEAK_SIDE**3 / _seconds(lambda: square @ square, pixels.device)
    return round(float(counter.get_total_flops()) * max(rates.values()) / peak, 3)
