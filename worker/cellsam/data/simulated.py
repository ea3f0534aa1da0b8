"""Simulated training images where real ones are missing, as a data folder with a manifest.

Packed tissue with a nuclear and a membrane channel, rods, and cells in phase contrast: kinds of which few or no openly
labelled images were at hand. Nothing is validated on them: all of it is in the train split.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from labeling.simulate import Kind, simulate

SIDE_PX = 384
LICENCE = "simulated by CellLoop"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How many images of a kind, and the range of cells in each (drawn evenly on a logarithmic scale)."""

    images: int
    cells: tuple[int, int]


RECIPES: dict[Kind, Recipe] = {
    "tissue": Recipe(160, (60, 500)),
    "rods": Recipe(80, (12, 160)),
    "phase": Recipe(100, (6, 60)),
}


def write_simulated(out: Path, *, seed: int = 0, share: float = 1.0) -> Iterator[Path]:
    """Write images, label maps and `manifest.csv` into `out`, yielding each image's path once it is written.

    Images are (H, W) or, with two channels, (blank, nuclear, whole-cell) 16-bit TIFF; labels are 16-bit TIFF. `share`
    scales the number of images. The same arguments write the same pixels. The manifest is written last.
    """
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for kind, recipe in RECIPES.items():
        random = np.random.default_rng([seed, len(kind)])
        for number in range(max(1, round(recipe.images * share))):
            cells = round(float(np.exp(random.uniform(*np.log(recipe.cells)))))
            scene = simulate(kind, height=SIDE_PX, width=SIDE_PX, cells=cells, seed=seed + number)
            image, labels = out / f"{kind}_{number:04}.tif", out / f"{kind}_{number:04}_labels.tif"
            tifffile.imwrite(image, _channels_last(scene.image), compression="zlib")
            tifffile.imwrite(labels, scene.labels.astype(np.uint16), compression="zlib")
            rows.append(
                {
                    "dataset": "simulated",
                    "modality": f"simulated_{kind}",
                    "split": "train",
                    "image": image.name,
                    "labels": labels.name,
                    "height": SIDE_PX,
                    "width": SIDE_PX,
                    "channels": 1 if scene.image.shape[0] == 1 else 3,
                    "n_cells": int(scene.labels.max()),
                    "licence": LICENCE,
                    "group": image.stem,
                    "label_origin": "simulated",
                }
            )
            yield image
    with (out / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _channels_last(image: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """(1, H, W) -> (H, W); (2, H, W) nuclear and whole-cell -> (H, W, 3) with a blank first channel."""
    if len(image) == 1:
        return np.asarray(image[0])
    return np.stack([np.zeros_like(image[0]), *image], axis=-1)
