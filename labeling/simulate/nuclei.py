"""Stained nuclei of a culture: clumps that touch, chromatin, mitoses, out-of-focus light, debris."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from labeling.simulate.optics import camera, illumination, through_lens
from labeling.simulate.scene import (
    Field,
    Labels,
    Shape,
    Simulated,
    blob,
    one_piece_each,
    smooth_noise,
    window_of,
)

_TRIES = 30
_MITOSES = 0.03


def draw(rng: np.random.Generator, height: int, width: int, cells: int) -> Simulated:
    radius = float(np.clip(np.sqrt(0.3 * height * width / (cells * np.pi)), 5.0, 15.0))
    labels = np.zeros((height, width), dtype=np.int32)
    light = np.zeros((height, width))
    clumps = rng.uniform((0, 0), (height, width), size=(max(1, cells // 6), 2))
    for number in range(1, cells + 1):
        _place(rng, labels, light, number, radius, clumps)
    labels = one_piece_each(labels, smallest=12)
    light *= _chromatin(rng, labels)
    photons = 9 + 240 * through_lens(light) + _out_of_focus(rng, height, width, radius, cells // 7)
    photons += 200 * through_lens(_debris(rng, height, width, cells // 12), sigma=1.0)
    photons *= illumination(rng, (height, width))
    return Simulated(
        image=camera(rng, photons, gain=float(rng.uniform(2, 5)))[None],
        channel_names=("Nuclei",),
        labels=labels,
        roles={"nuclear": "Nuclei", "whole_cell": None, "rgb": False},
    )


def _place(
    rng: np.random.Generator, labels: Labels, light: Field, number: int, radius: float, clumps: Field
) -> None:
    """Put one nucleus where it covers little of the others; it may touch them. Gives up after some tries."""
    mitotic = rng.random() < _MITOSES
    size = radius * float(np.clip(rng.normal(1, 0.17), 0.55, 1.5)) * (0.6 if mitotic else 1)
    shape = blob(
        rng, radius=size, elongation=float(rng.uniform(1.0, 2.0 if mitotic else 1.75)), roughness=0.08
    )
    brightness = rng.lognormal(0, 0.35) * (3.0 if mitotic else 1.0)
    for _ in range(_TRIES):
        y, x = _position(rng, labels.shape, clumps, radius)
        found = window_of(shape.inside_hw.shape, (labels.shape[0], labels.shape[1]), y, x)
        if found is None:
            continue
        there, part = found
        inside, taken = shape.inside_hw[part], labels[there] > 0
        if inside.sum() < 12 or (inside & taken).sum() > 0.05 * inside.sum():
            continue
        free = inside & ~taken
        labels[there][free] = number
        light[there][free] += brightness * _thickness(shape)[part][free]
        return


def _position(
    rng: np.random.Generator, shape_hw: tuple[int, ...], clumps: Field, radius: float
) -> tuple[int, int]:
    if rng.random() < 0.55:
        y, x = clumps[rng.integers(len(clumps))] + rng.normal(0, 2.6 * radius, 2)
    else:
        y, x = rng.uniform((0, 0), (shape_hw[0], shape_hw[1]))
    return int(y), int(x)


def _thickness(shape: Shape) -> Field:
    """A flattened ball: nearly even in the middle, thin at the rim."""
    return np.asarray(0.35 + 0.65 * np.sqrt(np.clip(1 - shape.radius_hw**3, 0, None)), dtype=np.float64)


def _chromatin(rng: np.random.Generator, labels: Labels) -> Field:
    """A factor around 1: grains, lumps, and a few dark nucleoli."""
    shape = (labels.shape[0], labels.shape[1])
    grain = 1 + 0.13 * smooth_noise(rng, shape, 1.3) + 0.12 * smooth_noise(rng, shape, 3.0)
    nucleoli = smooth_noise(rng, shape, 2.4) > 1.9
    deep = ndimage.distance_transform_edt(labels > 0) > 3
    return np.asarray(np.clip(grain, 0.3, None) * np.where(nucleoli & deep, 0.62, 1.0), dtype=np.float64)


def _out_of_focus(rng: np.random.Generator, height: int, width: int, radius: float, count: int) -> Field:
    """Light of nuclei above and below the plane: dim, wide, not labelled."""
    light = np.zeros((height, width))
    y, x = rng.integers(0, height, count), rng.integers(0, width, count)
    np.add.at(light, (y, x), rng.uniform(0.3, 1.0, count))
    blurred = ndimage.gaussian_filter(light, radius * 1.1)
    return np.asarray(30 * blurred / max(float(blurred.max()), 1e-9) if count else blurred, dtype=np.float64)


def _debris(rng: np.random.Generator, height: int, width: int, count: int) -> Field:
    light = np.zeros((height, width))
    for _ in range(count):
        speck = blob(rng, radius=float(rng.uniform(0.8, 2.4)), elongation=1.3, roughness=0.2)
        found = window_of(
            speck.inside_hw.shape, (height, width), int(rng.integers(height)), int(rng.integers(width))
        )
        if found is not None:
            there, part = found
            light[there][speck.inside_hw[part]] += rng.uniform(0.3, 2.0)
    return light
