"""Labelled images as the two stages see them: one tile of each image an epoch, flipped and turned.

An image larger than a tile is cut at random, so prepare large images into tiles first. What is drawn depends on the
run's seed, the epoch and the image alone: a run that was stopped goes on with the tiles that it would have had.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from worker.cellsam.channels import config_channels
from worker.cellsam.config import CellSAMConfig
from worker.cellsam.data.manifest import Entry
from worker.cellsam.preprocess import Frame
from worker.cellsam.training.crops import separate
from worker.cellsam.training.targets import Batch

Pixels = NDArray[np.float32]
Labels = NDArray[np.int32]
Key = tuple[int, int]  # epoch, index of the image
UNCHANGED = -1  # the epoch of validation: the middle of each image, as it is


@dataclass(frozen=True, slots=True)
class Tiles(Dataset[tuple[Pixels, Labels]]):
    """(epoch, index) -> model input (3, S, S) in [0, 1] and labels (S, S), 1..n without gaps."""

    entries: Sequence[Entry]
    config: CellSAMConfig
    seed: int

    def __getitem__(self, key: Key) -> tuple[Pixels, Labels]:
        epoch, index = key
        image, roles = self.entries[index].read_image()
        pixels = config_channels(image, roles, self.config, equalised=self.entries[index].equalised)
        labels = self.entries[index].read_labels()
        side = self.config.tiling.tile_px
        if epoch == UNCHANGED:
            pixels, labels = cut(pixels, labels, side, where=(0.5, 0.5))
        else:
            random = np.random.default_rng([self.seed, epoch, index])
            where = (float(random.random()), float(random.random()))
            pixels, labels = turn(*cut(pixels, labels, side, where=where), int(random.integers(8)))
        return self._to_input(pixels, separate(labels))

    def _to_input(self, pixels: Pixels, labels: Labels) -> tuple[Pixels, Labels]:
        tiling = self.config.tiling
        (enlarged,) = Frame(tiling.tile_px, tiling.tile_px, tiling).inputs(pixels)
        times = round(tiling.scale)
        return enlarged.numpy(), labels.repeat(times, axis=0).repeat(times, axis=1)


def cut(pixels: Pixels, labels: Labels, side: int, *, where: tuple[float, float]) -> tuple[Pixels, Labels]:
    """A square of `side` from (3, H, W) and (H, W); `where` in [0, 1], from top to bottom and from left to right.

    Smaller images are mirrored to the right and to the bottom, as inference does (`Frame`).
    """
    missing = [(0, max(0, side - length)) for length in labels.shape]
    pixels = np.pad(pixels, [(0, 0), *missing], mode="reflect")
    labels = np.pad(labels, missing, mode="reflect")
    row, column = (
        min(int(share * (length - side + 1)), length - side)
        for share, length in zip(where, labels.shape, strict=True)
    )
    return (
        pixels[:, row : row + side, column : column + side],
        labels[row : row + side, column : column + side],
    )


def turn(pixels: Pixels, labels: Labels, which: int) -> tuple[Pixels, Labels]:
    """One of the eight symmetries of the square, 0 to 7; 0 changes nothing."""
    quarters, mirrored = which % 4, which >= 4
    pixels, labels = np.rot90(pixels, quarters, axes=(1, 2)), np.rot90(labels, quarters)
    if mirrored:
        pixels, labels = pixels[:, :, ::-1], labels[:, ::-1]
    return np.ascontiguousarray(pixels), np.ascontiguousarray(labels)


@dataclass(frozen=True, slots=True)
class EpochOrder:
    """Which images each process takes in each step: a new shuffle every epoch, the remainder of a batch left out.

    Two processes with batches of `batch` take together what one takes with batches twice as large.
    """

    images: int
    batch: int  # of one process
    seed: int
    rank: int = 0
    processes: int = 1

    @property
    def steps(self) -> int:
        """Of an epoch; at least one, for which images are taken twice where they are too few."""
        return max(1, self.images // (self.batch * self.processes))

    def keys(self, epoch: int, first_step: int = 0) -> list[list[Key]]:
        """This process's images for each step from `first_step` on."""
        shuffled = np.random.default_rng([self.seed, epoch]).permutation(self.images)
        order = np.resize(shuffled, (self.steps, self.processes, self.batch))
        return [
            [(epoch, int(index)) for index in order[step, self.rank]]
            for step in range(first_step, self.steps)
        ]


def batches(
    tiles: Tiles, keys: Sequence[list[Key]], *, workers: int, device: torch.device
) -> Iterator[Batch]:
    """A batch for each list of keys, read by `workers` processes ahead of time (0: by this one)."""
    trunk = tiles.config.trunk
    loader: DataLoader[tuple[Pixels, Labels]] = DataLoader(
        tiles, batch_sampler=keys, num_workers=workers, collate_fn=_stack, pin_memory=False
    )
    for pixels, labels in loader:
        yield Batch.of(
            pixels, labels, origin=(0, 0), patch_px=trunk.patch_px, input_px=trunk.input_px, device=device
        )


def _stack(items: Sequence[tuple[Pixels, Labels]]) -> tuple[Pixels, Labels]:
    pixels, labels = zip(*items, strict=True)
    return np.stack(pixels), np.stack(labels)
