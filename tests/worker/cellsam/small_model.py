"""An untrained model with every part of `tiny` in a size that runs in a moment, and samples for it."""

from __future__ import annotations

from dataclasses import replace

import torch

from labeling.rle import masks_of_labels
from labeling.simulate import simulate
from worker.cellsam import TINY, Predictor
from worker.cellsam.build import build
from worker.cellsam.tuning import Schedule, TuningConfig, TuningSample

SMALL = replace(
    TINY,
    name="small",
    trunk=replace(
        TINY.trunk,
        input_px=64,
        dim=32,
        depth=1,
        heads=2,
        window=4,
        global_blocks=(0,),
        stem_widths=(8, 8, 8),
        stem_blocks=(0, 0, 0),
    ),
    finder=replace(TINY.finder, dim=32, heads=2, ffn_dim=32, decoder_layers=1, queries=16),
    mask=replace(TINY.mask, dim=32, heads=2, mlp_dim=32, iou_hidden_dim=16),
    tiling=replace(TINY.tiling, tile_px=64, overlap_px=16),
)
BRIEF = Schedule(rate=1e-3, passes=1, least=4, most=4, check_every=2, clip=3.0)
SMALL_TUNING = TuningConfig(
    neck=BRIEF, finder=BRIEF, trunk=BRIEF, windows_a_step=1, prompts=2, tiles_a_step=2, half_tiles_a_step=3,
    whole_tiles_a_step=2, min_cells=4,
)  # fmt: skip


def small_predictor(seed: int = 0) -> Predictor:
    torch.manual_seed(seed)
    return Predictor(build(SMALL))


def small_samples(predictor: Predictor, count: int = 3) -> list[TuningSample]:
    made = []
    for seed in range(count):
        image = simulate("nuclei", height=64, width=64, cells=4, seed=seed)
        pixels = image.image[0]
        made.append(
            TuningSample(
                predictor.embed(pixels),
                [mask for _, mask in masks_of_labels(image.labels)],
                source=lambda pixels=pixels: (pixels, ("whole_cell",)),  # type: ignore[misc]
            )
        )
    return made
