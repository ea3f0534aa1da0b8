"""Fluorescent rod-shaped bacteria: micro-colonies of cells side by side and end to end."""

from __future__ import annotations

import numpy as np

from labeling.simulate.optics import camera, illumination, through_lens
from labeling.simulate.scene import Field, Labels, Shape, Simulated, one_piece_each, smooth_noise, window_of

_TRIES = 40


def draw(rng: np.random.Generator, height: int, width: int, cells: int) -> Simulated:
    shape = (height, width)
    thick = float(np.clip(np.sqrt(0.22 * height * width / (cells * 3.2)), 5.0, 12.0))
    labels = np.zeros(shape, dtype=np.int32)
    light = np.zeros(shape)
    rods: list[tuple[float, float, float, float]] = []  # (y, x, angle, length) of those that found room
    for number in range(1, cells + 1):
        _place(rng, labels, light, number, thick, rods)
    labels = one_piece_each(labels, smallest=12)
    light *= np.clip(1 + 0.12 * smooth_noise(rng, shape, 2.0), 0.3, None)
    photons = 14 + 170 * through_lens(light, sigma=1.3, skirt=0.22, skirt_sigma=12)
    photons *= illumination(rng, shape, fall=0.2)
    return Simulated(
        image=camera(rng, photons, gain=3)[None],
        channel_names=("GFP",),
        labels=labels,
        roles={"nuclear": None, "whole_cell": "GFP", "rgb": False},
    )


def _place(
    rng: np.random.Generator,
    labels: Labels,
    light: Field,
    number: int,
    thick: float,
    rods: list[tuple[float, float, float, float]],
) -> None:
    length = thick * float(rng.uniform(2.0, 4.6))
    brightness = rng.lognormal(0, 0.3)
    for _ in range(_TRIES):
        y, x, angle = _position(rng, labels.shape, thick, length, rods)
        shape = _capsule(
            thick=thick * float(rng.uniform(0.92, 1.06)),
            length=length,
            angle=angle,
            bend=float(rng.normal(0, 0.12)),
        )
        found = window_of(shape.inside_hw.shape, (labels.shape[0], labels.shape[1]), int(y), int(x))
        if found is None:
            continue
        there, part = found
        inside, taken = shape.inside_hw[part], labels[there] > 0
        if inside.sum() < 12 or (inside & taken).sum() > 0.03 * inside.sum():
            continue
        free = inside & ~taken
        labels[there][free] = number
        light[there][free] += brightness * (
            0.4 + 0.6 * np.sqrt(np.clip(1 - shape.radius_hw[part][free] ** 2, 0, None))
        )
        rods.append((y, x, angle, length))
        return


def _position(
    rng: np.random.Generator,
    shape_hw: tuple[int, ...],
    thick: float,
    length: float,
    rods: list[tuple[float, float, float, float]],
) -> tuple[float, float, float]:
    """(y, x, angle): most grow beside or behind a rod that is there, some start a colony."""
    if not rods or rng.random() < 0.1:
        return (
            float(rng.uniform(0, shape_hw[0])),
            float(rng.uniform(0, shape_hw[1])),
            float(rng.uniform(0, np.pi)),
        )
    y, x, angle, other = rods[rng.integers(len(rods))]
    if rng.random() < 0.7:
        away, along = rng.choice((-1, 1)) * thick * rng.uniform(1.02, 1.2), rng.normal(0, 0.3 * length)
    else:
        away, along = (
            rng.normal(0, 0.15 * thick),
            rng.choice((-1, 1)) * (length + other) / 2 * rng.uniform(1.0, 1.1),
        )
    angle_new = angle + rng.normal(0, 0.14)
    return (
        float(y + along * np.sin(angle) + away * np.cos(angle)),
        float(x + along * np.cos(angle) - away * np.sin(angle)),
        float(angle_new),
    )


def _capsule(*, thick: float, length: float, angle: float, bend: float) -> Shape:
    """A rod with round ends, bent like a bow by ``bend`` of its length."""
    reach = int(np.ceil(length / 2 + thick)) + 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    along, across = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    across = across - bend * (along**2 / length - length / 12)
    straight = max(0.0, (length - thick) / 2)
    distance = np.hypot(np.maximum(np.abs(along) - straight, 0), across) / (thick / 2)
    return Shape(inside_hw=distance < 1, radius_hw=distance)
