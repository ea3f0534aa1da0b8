"""Which channel of an image plays which part, by the project's channel map."""

from __future__ import annotations

from typing import Any

from labeling.models import Image
from labeling.pixels import RGB_NAMES, ChannelRoles


def channel_names(image: Image) -> list[str]:
    """Names of the image's channels, in file order."""
    return [channel["name"] for channel in image.channels]


def channel_roles(image: Image) -> ChannelRoles | None:
    """The parts that this image's channels play (by name), or None if the project's map does not cover them.

    A single channel needs no map: the model takes it as whole-cell unless the map calls it nuclear.
    """
    names = channel_names(image)
    chosen: dict[str, Any] | None = image.project.channel_map
    if len(names) == 1:
        nuclear = chosen is not None and chosen["nuclear"] == names[0]
        only = names[0]
        return ChannelRoles(
            nuclear=only if nuclear else None, whole_cell=None if nuclear else only, rgb=False
        )
    if not chosen:
        return None
    if chosen["rgb"] and tuple(names[:3]) == RGB_NAMES:
        return ChannelRoles(nuclear=None, whole_cell=None, rgb=True)
    found = {part: chosen[part] if chosen[part] in names else None for part in ("nuclear", "whole_cell")}
    wanted = [part for part in found if chosen[part] is not None]
    if not wanted or any(found[part] is None for part in wanted):
        return None
    return ChannelRoles(nuclear=found["nuclear"], whole_cell=found["whole_cell"], rgb=False)
