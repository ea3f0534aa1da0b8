"""The result of a simulation, and the shapes and placing that all scenes share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from labeling.pixels import ChannelRoles

Field = NDArray[np.float64]
Labels = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Simulated:
    """An image and the truth about it."""

    image: NDArray[np.uint16]  # (C, H, W)
    channel_names: tuple[str, ...]
    labels: Labels  # (H, W), 0 background, 1..n without gaps, one connected piece each
    roles: ChannelRoles


@dataclass(frozen=True, slots=True)
class Shape:
    """One cell in a window of its own: where it is, and how far each pixel lies from its middle (0) to its rim (1)."""

    inside_hw: NDArray[np.bool_]
    radius_hw: Field


def blob(
    rng: np.random.Generator, *, radius: float, elongation: float, roughness: float, waves: int = 6
) -> Shape:
    """A rounded shape of about the area of a circle of ``radius`` px: an ellipse whose rim wanders by ``roughness``."""
    long, short = radius * np.sqrt(elongation), radius / np.sqrt(elongation)
    reach = int(np.ceil(long * (1 + 2.5 * roughness))) + 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    turn = rng.uniform(0, np.pi)
    u, v = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
    angle = np.arctan2(v / short, u / long)
    rim = np.ones_like(angle)
    for wave in range(2, 2 + waves):
        rim += rng.normal(0, roughness / wave) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    distance = np.hypot(u / long, v / short) / np.maximum(rim, 0.3)
    return Shape(inside_hw=distance < 1, radius_hw=distance)


def window_of(
    shape_hw: tuple[int, int], image_hw: tuple[int, int], y: int, x: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Where a window centred on image pixel (y, x) lies in the image, and the part of the window that does.

    None if it lies outside.
    """
    top, left = y - shape_hw[0] // 2, x - shape_hw[1] // 2
    y0, y1 = max(0, top), min(image_hw[0], top + shape_hw[0])
    x0, x1 = max(0, left), min(image_hw[1], left + shape_hw[1])
    if y0 >= y1 or x0 >= x1:
        return None
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


def one_piece_each(labels: Labels, *, smallest: int) -> Labels:
    """Labels 1..n, each the largest connected piece of what it was; pieces under ``smallest`` px go."""
    kept = np.zeros_like(labels)
    following = 1
    for value, where in enumerate(ndimage.find_objects(labels), start=1):
        if where is None:
            continue
        pieces, count = ndimage.label(labels[where] == value)
        sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
        if sizes.max(initial=0) < smallest:
            continue
        kept[where][pieces == 1 + int(sizes.argmax())] = following
        following += 1
    return kept


def smooth_noise(rng: np.random.Generator, shape_hw: tuple[int, int], sigma: float) -> Field:
    """Random hills of about ``sigma`` px, mean 0 and standard deviation 1."""
    # Coarse noise enlarged is the same to the eye as a wide blur and a hundred times cheaper.
    step = max(1, int(sigma // 3))
    coarse = rng.normal(size=(shape_hw[0] // step + 3, shape_hw[1] // step + 3))
    hills = ndimage.zoom(ndimage.gaussian_filter(coarse, sigma / step), step, order=1) if step > 1 else coarse
    hills = hills if step > 1 else ndimage.gaussian_filter(hills, sigma)
    hills = hills[: shape_hw[0], : shape_hw[1]]
    return np.asarray((hills - hills.mean()) / max(float(hills.std()), 1e-9), dtype=np.float64)


def values_of_labels(rng: np.random.Generator, labels: Labels, *, spread: float) -> Field:
    """(H, W) one lognormal factor a cell (1 in the middle), 0 on the background."""
    factors = rng.lognormal(0, spread, int(labels.max()) + 1)
    factors[0] = 0
    return np.asarray(factors[labels], dtype=np.float64)
