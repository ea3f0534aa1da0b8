"""From emitted light to camera counts: point spread, uneven illumination, shot and read noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from labeling.simulate.scene import Field, smooth_noise

_OFFSET = 100  # counts that a scientific camera adds, so that read noise is not clipped
_READ_NOISE = 2.2  # counts
_SATURATION = 65535


def through_lens(light: Field, *, sigma: float = 1.2, skirt: float = 0.16, skirt_sigma: float = 9.0) -> Field:
    """Light after a point spread function: a core of ``sigma`` px and a share ``skirt`` in a wide, weak halo."""
    core = ndimage.gaussian_filter(light, sigma)
    step = 3  # the halo is so wide that a third of the resolution carries it
    padded = np.pad(light, ((0, -light.shape[0] % step), (0, -light.shape[1] % step)), mode="edge")
    small = padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step).mean(axis=(1, 3))
    halo = ndimage.zoom(ndimage.gaussian_filter(small, skirt_sigma / step), step, order=1)
    return np.asarray((1 - skirt) * core + skirt * halo[: light.shape[0], : light.shape[1]], dtype=np.float64)


def illumination(rng: np.random.Generator, shape_hw: tuple[int, int], *, fall: float = 0.3) -> Field:
    """The lamp's share at each pixel: 1 near a middle that is a little off, up to ``fall`` less in the corners."""
    height, width = shape_hw
    y, x = np.mgrid[0:height, 0:width]
    middle_y, middle_x = rng.uniform(0.35, 0.65, 2)
    distance = np.hypot(y / height - middle_y, x / width - middle_x)
    share = 1 - fall * (distance / 0.7) ** 2 + 0.02 * smooth_noise(rng, shape_hw, max(shape_hw) / 8)
    return np.asarray(np.clip(share, 0.2, None), dtype=np.float64)


def camera(
    rng: np.random.Generator, photons: Field, *, gain: float = 1.0, offset: int = _OFFSET
) -> NDArray[np.uint16]:
    """Counts of a 16-bit camera: Poisson photons times the gain, plus offset and read noise."""
    counts = rng.poisson(np.clip(photons, 0, None)) * gain
    counts = counts + offset + rng.normal(0, _READ_NOISE, photons.shape)
    return np.clip(np.rint(counts), 0, _SATURATION).astype(np.uint16)
