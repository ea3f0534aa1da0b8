"""A data folder with a manifest, small enough for a test: simulated images of two data sets, in two or three splits."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from labeling.simulate import Kind, simulate

SETS: dict[Kind, str] = {"nuclei": "nuclei_fluorescence_small", "rods": "bacteria_fluorescence"}
SIDE = 96


def write_miniature(
    folder: Path, images: dict[str, int], *, datasets: Sequence[Kind] = ("nuclei", "rods")
) -> Path:
    """`images`: how many of each data set in each split. Returns the folder."""
    rows = []
    for dataset in datasets:
        for split, count in images.items():
            for number in range(count):
                rows.append(_write(folder, dataset, split, number))
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def _write(folder: Path, dataset: Kind, split: str, number: int) -> dict[str, str]:
    seed = 100 * ["train", "val", "test"].index(split) + number
    made = simulate(dataset, height=SIDE, width=SIDE, cells=8, seed=seed)
    name = f"{dataset}_{split}_{number}"
    plane = made.image[0].astype(np.float64)
    plane = (255 * (plane - plane.min()) / max(np.ptp(plane), 1)).astype(np.uint8)
    Image.fromarray(plane).save(folder / f"{name}.png")
    Image.fromarray(made.labels.astype(np.uint16)).save(folder / f"{name}_labels.png")
    return {
        "dataset": dataset,
        "modality": SETS[dataset],
        "split": split,
        "image": f"{name}.png",
        "labels": f"{name}_labels.png",
        "licence": "CC0-1.0",
        "group": "open",
    }
