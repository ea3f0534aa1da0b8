"""Adherent cells in positive phase contrast: grey bodies, dark rims and grains, bright halos, rounded-up cells."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from labeling.simulate.optics import camera, illumination
from labeling.simulate.scene import Field, Labels, Simulated, blob, one_piece_each, smooth_noise, window_of

_TRIES = 30
_ROUNDED = 0.12  # cells in division stand up: small, thick and very bright


def draw(rng: np.random.Generator, height: int, width: int, cells: int) -> Simulated:
    shape = (height, width)
    radius = float(np.clip(np.sqrt(0.32 * height * width / (cells * np.pi)), 7.0, 26.0))
    labels = np.zeros(shape, dtype=np.int32)
    thickness = np.zeros(shape)
    for number in range(1, cells + 1):
        _place(rng, labels, thickness, number, radius)
    labels = one_piece_each(labels, smallest=30)
    thickness *= np.clip(
        1 + 0.07 * smooth_noise(rng, shape, 1.6) + 0.11 * smooth_noise(rng, shape, 4.5), 0.2, None
    )
    picture = 1 + 0.012 * smooth_noise(rng, shape, 3) + _contrast(thickness)
    picture += _grains(rng, labels)
    photons = 1900 * np.clip(picture, 0.05, None) * illumination(rng, shape, fall=0.15)
    return Simulated(
        image=camera(rng, ndimage.gaussian_filter(photons, 0.7), gain=6)[None],
        channel_names=("Phase",),
        labels=labels,
        roles={"nuclear": None, "whole_cell": "Phase", "rgb": False},
    )


def _place(rng: np.random.Generator, labels: Labels, thickness: Field, number: int, radius: float) -> None:
    rounded = rng.random() < _ROUNDED
    size = radius * float(np.clip(rng.normal(1, 0.22), 0.5, 1.6)) * (0.5 if rounded else 1)
    shape = blob(
        rng,
        radius=size,
        elongation=1.1 if rounded else float(rng.uniform(1.1, 3.2)),
        roughness=0.04 if rounded else 0.3,
        waves=5,
    )
    for _ in range(_TRIES):
        y, x = int(rng.integers(labels.shape[0])), int(rng.integers(labels.shape[1]))
        found = window_of(shape.inside_hw.shape, (labels.shape[0], labels.shape[1]), y, x)
        if found is None:
            continue
        there, part = found
        inside, taken = shape.inside_hw[part], labels[there] > 0
        if inside.sum() < 30 or (inside & taken).sum() > 0.04 * inside.sum():
            continue
        free = inside & ~taken
        distance = shape.radius_hw[part][free]
        # A flat sheet with a steep rim and a hump where the nucleus is; a ball when rounded.
        body = 1.9 * np.sqrt(np.clip(1 - distance**2, 0, None)) if rounded else _sheet(rng, distance)
        labels[there][free] = number
        thickness[there][free] += body
        return


def _sheet(rng: np.random.Generator, distance: Field) -> Field:
    steep = np.clip((1 - distance) * 4, 0, 1)
    hump = np.exp(-((distance / 0.42) ** 2))
    return np.asarray(rng.uniform(0.4, 0.65) * steep + rng.uniform(0.15, 0.35) * hump, dtype=np.float64)


def _contrast(thickness: Field) -> Field:
    """Thickness against its surroundings: dark where thick, bright just outside, and bright again where very thick."""
    core, near, wide = (ndimage.gaussian_filter(thickness, sigma) for sigma in (0.9, 3.0, 10.0))
    halo = 0.5 * (wide - core) + 0.75 * (near - core)
    shine = 1.1 * np.clip(near - 0.62, 0, None)
    return np.asarray(0.7 * np.clip(halo, -0.8, 0.45) + shine, dtype=np.float64)


def _grains(rng: np.random.Generator, labels: Labels) -> Field:
    """Vesicles and mitochondria inside cells: small dark and bright points."""
    points = np.where(labels > 0, rng.random(labels.shape), 0.0)
    dark = ndimage.gaussian_filter((points > 0.985).astype(np.float64), 0.9)
    bright = ndimage.gaussian_filter(((points > 0) & (points < 0.006)).astype(np.float64), 0.8)
    return np.asarray(-0.3 * dark + 0.5 * bright, dtype=np.float64)
