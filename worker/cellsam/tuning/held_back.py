"""Which images a run keeps from its own training, to stop in time and to choose a threshold.

They are never the gate's held-out images: these no run reads at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from worker.cellsam.tuning.config import TuningConfig
from worker.cellsam.tuning.sample import TuningError, TuningSample


def hold_back(
    samples: Sequence[TuningSample], config: TuningConfig
) -> tuple[list[TuningSample], list[TuningSample]]:
    """(training, held back): whole clusters, or single images where all that have cells are of one cluster.

    What is held back has cells. Raises TuningError if there are too few images or cells for both.
    """
    _check(samples, config)
    clusters = [sample.cluster or f"image {index}" for index, sample in enumerate(samples)]
    if len({cluster for cluster, sample in zip(clusters, samples, strict=True) if sample.cells}) < 2:
        clusters = [f"image {index}" for index in range(len(samples))]
    chosen = _clusters_to_hold_back(clusters, samples, config)
    kept = [sample for sample, cluster in zip(samples, clusters, strict=True) if cluster not in chosen]
    held = [
        sample
        for sample, cluster in zip(samples, clusters, strict=True)
        if cluster in chosen and sample.cells
    ]
    return kept, held[: config.max_validation_images]


def fill_up(
    held: Sequence[TuningSample], training: Sequence[TuningSample], config: TuningConfig
) -> list[TuningSample]:
    """Training images, in random order, up to as many images and tiles as may be held back with those that are."""
    shown = sum(len(sample.features.frame.finest) for sample in held)
    more: list[TuningSample] = []
    for index in np.random.default_rng(config.seed).permutation(len(training)).tolist():
        shown += len(training[index].features.frame.finest)
        if len(held) + len(more) == config.max_validation_images or shown > config.max_validation_tiles:
            break
        more.append(training[index])
    return more


def _clusters_to_hold_back(
    clusters: Sequence[str], samples: Sequence[TuningSample], config: TuningConfig
) -> set[str]:
    """As many as fit the wanted share and, after the first, a look's tiles, in random order; the smallest if none
    fits."""
    images: dict[str, int] = {}
    tiles: dict[str, int] = {}
    for cluster, sample in zip(clusters, samples, strict=True):
        if sample.cells:
            images[cluster] = images.get(cluster, 0) + 1
            tiles[cluster] = tiles.get(cluster, 0) + len(sample.features.frame.finest)
    share = config.validation_share * sum(images.values())
    wanted = max(1, min(config.max_validation_images, round(share)))
    chosen: set[str] = set()
    held = shown = 0
    for cluster in map(str, np.random.default_rng(config.seed).permutation(list(images))):
        few_tiles = not chosen or shown + tiles[cluster] <= config.max_validation_tiles
        if few_tiles and held + images[cluster] <= wanted:
            chosen.add(cluster)
            held, shown = held + images[cluster], shown + tiles[cluster]
    return chosen or {min(images, key=lambda cluster: images[cluster])}


def _check(samples: Sequence[TuningSample], config: TuningConfig) -> None:
    useful = [sample for sample in samples if sample.cells]
    if not all(
        bool(torch.isfinite(tokens).all()) for sample in samples for tokens in sample.features.maps.values()
    ):
        raise TuningError(
            "the features of an image are not finite: they are damaged and must be computed again"
        )
    if not useful:
        raise TuningError("there are no cells to learn from")
    if len(useful) < config.min_images:
        raise TuningError(
            f"{len(useful)} image with cells; at least {config.min_images} are needed to hold one back"
        )
    cells = sum(len(sample.cells) for sample in useful)
    if cells < config.min_cells:
        raise TuningError(f"{cells} cells are too few to learn from; at least {config.min_cells} are needed")
