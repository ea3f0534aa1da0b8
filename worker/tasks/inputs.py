"""An image of the database as the model takes it: pixels and the roles of their channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.errors import Conflict
from labeling.pyramid import read_full
from labeling.selectors.channels import channel_names, channel_roles


def read_image(image: Any) -> tuple[NDArray[Any], Sequence[str]]:
    """(H, W, C) uint8 or uint16 of the channels that play a part, and those parts in the channels' order.

    The project's map is the one that ``image`` was read with, as in its features' address: whoever changes the map
    meanwhile changes the address too. Raises Conflict if that map does not cover the image's channels.
    """
    roles = channel_roles(image)
    if roles is None:
        raise Conflict(f"{image.name}: its channels are not mapped yet.", code="needs_channels")
    with image.pyramid.open("rb") as file:
        planes = read_full(file)  # (C, H, W)
    if roles["rgb"]:
        return np.moveaxis(planes[:3], 0, -1), ("rgb",)
    parts = {"nuclear": roles["nuclear"], "whole_cell": roles["whole_cell"]}
    named = {part: channel_names(image).index(name) for part, name in parts.items() if name is not None}
    return np.moveaxis(planes[list(named.values())], 0, -1), tuple(named)
