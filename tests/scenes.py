"""Images with exact truth for tests of the model and the loop: simulated nuclei, and a habit that can be learned."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import tifffile
from numpy.typing import NDArray
from scipy import ndimage

from labeling.rle import BoxMask, masks_of_labels
from labeling.simulate import simulate


@dataclass(frozen=True, slots=True)
class Scene:
    """A gray image (H, W) and the labels (H, W) that a careful person would give it."""

    image: NDArray[np.uint8] | NDArray[np.uint16]
    labels: NDArray[np.int32]

    @property
    def masks(self) -> list[BoxMask]:
        return [mask for _, mask in masks_of_labels(self.labels)]

    @property
    def tiff(self) -> bytes:
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, self.image)
        return buffer.getvalue()


def nuclei(seed: int, *, side: int = 192, cells: int = 12) -> Scene:
    """Nuclei as the shipped model knows them."""
    made = simulate("nuclei", height=side, width=side, cells=cells, seed=seed)
    return Scene(made.image[0], made.labels)


def banded(seed: int, *, side: int = 192, cells: int = 12) -> Scene:
    """Dim discs with a bright band from rim to rim, of which people outline the band alone.

    The shipped model takes the disc in about half of the cases. The difference lies within a box that stays much the
    same, so a neck can learn the habit: here mean IoU .89 -> .95, F1 .5 -> 1.0 in 200 steps.
    """
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    light = np.zeros((side, side))
    labels, taken = np.zeros((side, side), np.int32), np.zeros((side, side), bool)
    for _ in range(400):
        if labels.max() == cells:
            break
        radius = random.uniform(10, 15)
        top, left = random.uniform(radius + 2, side - radius - 2, 2)
        u, v = (x - left) / radius, (y - top) / radius
        distance = np.hypot(u, v)
        if (taken & (distance < 1 + 4 / radius)).any():
            continue
        disc = distance < 1
        band = disc & (np.abs(u) < 0.45)
        taken |= disc
        labels[band] = labels.max() + 1
        brightness = random.uniform(0.8, 1.2)
        light[disc], light[band] = 100 * brightness, 200 * brightness
    seen = ndimage.gaussian_filter(light, 0.8) + 12 + random.normal(0, 4, light.shape)
    return Scene(np.clip(seen, 0, 255).astype(np.uint8), labels)
