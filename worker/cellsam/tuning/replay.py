"""How often each image is drawn. A run starts from the base, which has seen none of a project's images: what earlier
runs learned has to be learned again, so all images count alike, and old ones never less than a share of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def draw_weights(earlier: Sequence[bool], replay_share: float) -> NDArray[np.float64]:
    """(n,) probabilities of cells or tiles, of which some are of images that earlier runs learned from.

    These get their natural share of the draws, but at least `replay_share`, against forgetting.
    """
    old = np.asarray(earlier, dtype=bool)
    if old.all() or not old.any():
        return np.full(len(old), 1 / len(old))
    share = max(float(old.mean()), replay_share)
    return np.asarray(np.where(old, share / old.sum(), (1 - share) / (~old).sum()))
