"""An image of the database as the model takes it: pixels and the roles of their channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from labeling.errors import Conflict
from labeling.pyramid import read_full
from labeling.selectors.channels import channel_names, channel_roles
from labeling.selectors.images import image_get


def read_image(image_id: UUID) -> tuple[NDArray[Any], Sequence[str]]:
    """(H, W, C) uint8 or uint16 of the channels that play a part, and those parts in the channels' order.

    Raises Conflict if the project's map does not cover the image's channels.
    """
    image = image_get(image_id)
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
