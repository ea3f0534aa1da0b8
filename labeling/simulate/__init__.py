"""Simulated microscopy with exact ground truth, for demonstrations, tests and training where real data are missing.

Geometry first, then light, then a camera: cells are drawn as label maps, turned into emitted light, blurred by a point
spread function with a wide skirt, dimmed by uneven illumination, and counted by a camera with shot noise, read noise
and an offset. The same arguments give the same image, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from labeling.simulate import nuclei, phase, rods, tissue
from labeling.simulate.scene import Simulated

__all__ = ["KINDS", "Kind", "Simulated", "simulate"]

Kind = Literal["nuclei", "tissue", "rods", "phase"]

_SCENES: dict[Kind, Callable[[np.random.Generator, int, int, int], Simulated]] = {
    "nuclei": nuclei.draw,
    "tissue": tissue.draw,
    "rods": rods.draw,
    "phase": phase.draw,
}
KINDS: tuple[Kind, ...] = tuple(_SCENES)


def simulate(kind: Kind, *, height: int, width: int, cells: int, seed: int) -> Simulated:
    """A (C, height, width) uint16 image of about ``cells`` cells; fewer if they do not find room.

    "nuclei": one nuclear channel, some touching, out-of-focus light, debris. "tissue": packed whole cells with a
    nuclear and a membrane channel; labels are whole cells. "rods": bacteria in micro-colonies. "phase": adherent cells
    in phase contrast with halos. Raises ValueError for a size under 32 or no cells.
    """
    if min(height, width) < 32 or cells < 1:
        raise ValueError(f"an image of {width} x {height} with {cells} cells cannot be simulated")
    # The kind is part of the seed, so that two kinds of one seed do not share a layout.
    rng = np.random.default_rng([seed, KINDS.index(kind), height, width, cells])
    return _SCENES[kind](rng, height, width, cells)
