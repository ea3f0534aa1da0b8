"""Packed tissue in two channels: nuclei, and a membrane stain that outlines whole cells. Labels are whole cells."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from labeling.simulate.optics import camera, illumination, through_lens
from labeling.simulate.scene import (
    Field,
    Labels,
    Simulated,
    blob,
    one_piece_each,
    smooth_noise,
    values_of_labels,
    window_of,
)

_EMPTY = 0.2  # share of lumen and vessels


def draw(rng: np.random.Generator, height: int, width: int, cells: int) -> Simulated:
    shape = (height, width)
    labels = _packed(rng, height, width, cells)
    nuclear = through_lens(_nuclei(rng, labels), sigma=1.1)
    stain = through_lens(_membranes(rng, labels), sigma=1.0, skirt=0.12)
    lamp = illumination(rng, shape, fall=0.25)
    haze = np.clip(1 + 0.5 * smooth_noise(rng, shape, 40), 0.2, None)
    return Simulated(
        image=np.stack(
            [
                camera(rng, (8 * haze + 190 * nuclear + 0.02 * 130 * stain) * lamp, gain=6),
                camera(rng, (11 * haze + 130 * stain + 0.05 * 190 * nuclear) * lamp, gain=9),  # bleed-through
            ]
        ),
        channel_names=("Nuclei", "Membrane"),
        labels=labels,
        roles={"nuclear": "Nuclei", "whole_cell": "Membrane", "rgb": False},
    )


def _packed(rng: np.random.Generator, height: int, width: int, cells: int) -> Labels:
    """Territories of scattered seeds, their borders bent by a smooth warp, with lumen cut out."""
    shape = (height, width)
    spacing = 0.0
    for _ in range(4):  # the border cuts cells whose seeds lie outside, and those count too
        spacing = float(np.sqrt((height + 0.7 * spacing) * (width + 0.7 * spacing) * (1 - _EMPTY) / cells))
    seeds = _scatter(rng, height, width, spacing)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    y += 0.16 * spacing * smooth_noise(rng, shape, spacing / 3)
    x += 0.16 * spacing * smooth_noise(rng, shape, spacing / 3)
    nearest = cKDTree(seeds).query(np.stack([y.ravel(), x.ravel()], axis=1))[1].reshape(shape)
    lumen = smooth_noise(rng, shape, 2.2 * spacing)
    closed = lumen[
        np.clip(seeds[:, 0].astype(int), 0, height - 1), np.clip(seeds[:, 1].astype(int), 0, width - 1)
    ]
    lives = closed < np.quantile(closed, 1 - _EMPTY)
    labels = np.where(lives[nearest], nearest + 1, 0).astype(np.int32)
    far = np.hypot(y - seeds[nearest, 0], x - seeds[nearest, 1]) > 0.95 * spacing
    labels[far] = 0  # cells at a lumen end round instead of reaching across it
    return one_piece_each(labels, smallest=25)


def _scatter(rng: np.random.Generator, height: int, width: int, spacing: float) -> Field:
    """Seeds on a hexagonal grid, shaken so that the grid is not seen; also just outside the image."""
    rows, columns = int(height / (spacing * 0.9)) + 4, int(width / (spacing * 1.07)) + 4
    row, column = np.mgrid[-2 : rows - 2, -2 : columns - 2].astype(np.float64)
    y = row * spacing * 0.93
    x = (column + 0.5 * (row % 2)) * spacing * 1.07
    seeds = np.stack([y.ravel(), x.ravel()], axis=1)
    return np.asarray(seeds + rng.normal(0, 0.23 * spacing, seeds.shape), dtype=np.float64)


def _membranes(rng: np.random.Generator, labels: Labels) -> Field:
    """Bright rims where cells meet, patchy along their way, over a weak cytoplasm that differs from cell to cell."""
    shape = (labels.shape[0], labels.shape[1])
    border = np.zeros(shape, dtype=bool)
    border[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    border[1:] |= labels[1:] != labels[:-1]
    from_border = ndimage.distance_transform_edt(~border)
    rim = np.exp(-((from_border / 1.3) ** 2)) * np.clip(1 + 0.35 * smooth_noise(rng, shape, 7), 0.15, None)
    rim *= ndimage.gaussian_filter(np.where(labels > 0, values_of_labels(rng, labels, spread=0.3), 0.5), 1.5)
    cytoplasm = values_of_labels(rng, labels, spread=0.55) * np.clip(
        1 + 0.3 * smooth_noise(rng, shape, 2.0), 0, None
    )
    return np.asarray(1.5 * rim + 0.26 * cytoplasm, dtype=np.float64)


def _nuclei(rng: np.random.Generator, labels: Labels) -> Field:
    """One nucleus in most cells, off the middle, never past the cell's border."""
    light = np.zeros(labels.shape)
    middles = ndimage.center_of_mass(labels > 0, labels, range(1, int(labels.max()) + 1))
    areas = np.bincount(labels.ravel())
    for number, (y, x) in enumerate(middles, start=1):
        radius = np.sqrt(areas[number] / np.pi) * rng.uniform(0.45, 0.62)
        shape = blob(
            rng, radius=max(2.0, float(radius)), elongation=float(rng.uniform(1, 1.6)), roughness=0.07
        )
        dy, dx = rng.normal(0, 0.18 * radius, 2)
        found = window_of(shape.inside_hw.shape, (labels.shape[0], labels.shape[1]), int(y + dy), int(x + dx))
        if found is None or rng.random() < 0.06:  # the plane misses some nuclei
            continue
        there, part = found
        inside = shape.inside_hw[part] & (labels[there] == number)
        profile = 0.4 + 0.6 * np.sqrt(np.clip(1 - shape.radius_hw[part] ** 3, 0, None))
        light[there][inside] += rng.lognormal(0, 0.35) * profile[inside]
    grain = 1 + 0.15 * smooth_noise(rng, (labels.shape[0], labels.shape[1]), 1.4)
    grain += 0.12 * smooth_noise(rng, (labels.shape[0], labels.shape[1]), 3.2)
    return np.asarray(light * np.clip(grain, 0.3, None), dtype=np.float64)
