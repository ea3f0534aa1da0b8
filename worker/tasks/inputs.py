"""An image of the database as the model takes it: its pixels, the roles of their channels, its features' address."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.errors import Conflict
from labeling.pyramid import read_full
from labeling.selectors.channels import channel_names, channel_roles
from labeling.selectors.features import features_key
from worker.cached_features import FeaturesAddress, OpenedImage
from worker.cellsam.preprocess import Window
from worker.cellsam.sources import STRIDE_PX, PyramidSource, Samples

# What is this small passes through memory as a whole in any case, and is read quickest so.
WHOLE_PX = STRIDE_PX**2
PAUSE_EVERY_S = 1.0


def features_address(image: Any, version: Any) -> FeaturesAddress:
    """Where the features are that the version reads. Raises Conflict as `features_key` does."""
    return FeaturesAddress(features_key(image=image, version=version), image.height, image.width)


def read_image(image: Any) -> tuple[NDArray[Any], Sequence[str]]:
    """(H, W, C) uint8 or uint16 of the channels that play a part, and those parts in the channels' order.

    The project's map is the one that ``image`` was read with, as in its features' address: whoever changes the map
    meanwhile changes the address too. Raises Conflict if that map does not cover the image's channels.
    """
    channels, roles = _channels(image)
    with image.pyramid.open("rb") as file:
        planes = read_full(file)  # (C, H, W)
    return np.moveaxis(planes[channels], 0, -1), roles


def open_image(image: Any, *, pause: Callable[[], None]) -> OpenedImage:
    """As `read_image`; a large image is read in parts, when they are asked for. `pause` is then called now and again:
    what all of the image says has to be known before its first tile.
    """
    if image.height * image.width <= WHOLE_PX:
        return read_image(image)
    channels, roles = _channels(image)
    path = Path(image.pyramid.path)
    return _Attended(path, channels, height=image.height, width=image.width, pause=pause), roles


class _Attended(PyramidSource):
    """Between two reads, `pause` is called once a second."""

    def __init__(
        self, file: Path, channels: Sequence[int], *, height: int, width: int, pause: Callable[[], None]
    ) -> None:
        self._pause, self._paused_at = pause, time.monotonic()
        super().__init__(file, channels, height=height, width=width)

    def read(self, window: Window) -> Samples:
        if time.monotonic() - self._paused_at >= PAUSE_EVERY_S:
            self._pause()
            self._paused_at = time.monotonic()
        return super().read(window)


def _channels(image: Any) -> tuple[list[int], tuple[str, ...]]:
    """The numbers of the channels that play a part, and their parts."""
    roles = channel_roles(image)
    if roles is None:
        raise Conflict(f"{image.name}: its channels are not mapped yet.", code="needs_channels")
    if roles["rgb"]:
        return [0, 1, 2], ("rgb",)
    parts = {"nuclear": roles["nuclear"], "whole_cell": roles["whole_cell"]}
    named = {part: channel_names(image).index(name) for part, name in parts.items() if name is not None}
    return list(named.values()), tuple(named)
