"""How often each image is drawn: what earlier runs learned is repeated, and does not crowd out what is new."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST = 0.5  # of the draws that earlier images get, unless more was asked for: new corrections would drown in old ones


def draw_weights(earlier: Sequence[bool], replay_share: float) -> NDArray[np.float64]:
    """(n,) probabilities of cells or tiles, of which some are of images that earlier runs learned from.

    These get their natural share of the draws, but at least `replay_share`, against forgetting, and at most half.
    """
    old = np.asarray(earlier, dtype=bool)
    if old.all() or not old.any():
        return np.full(len(old), 1 / len(old))
    share = min(max(float(old.mean()), replay_share), max(MOST, replay_share))
    return np.asarray(np.where(old, share / old.sum(), (1 - share) / (~old).sum()))
