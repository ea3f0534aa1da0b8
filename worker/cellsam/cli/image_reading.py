"""An image file as `segment` reads it: in parts, with a role for each of the channels that are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.pixels import PixelInfo, probe, read_pixels
from worker.cellsam.channels import CHANNEL_ROLES, ImageError, default_roles
from worker.cellsam.preprocess import Window
from worker.cellsam.sources import ANY_SIZE, ArraySource, MadeOf, PixelSource, open_source

LEFT_OUT = "-"  # the role of a channel that plays none


def open_image(path: Path, *, roles: Sequence[str] | None, frame: int) -> tuple[PixelSource, tuple[str, ...]]:
    """The pixels, read as they are asked for, and a role for each channel, or ("rgb",). `frame` counts from 0.

    Raises PixelError for an unusable file, ImageError if `roles` do not fit its channels or are missing where there is
    no telling: three channels that are not red, green and blue could be anything.
    """
    with path.open("rb") as file:
        info = probe(file, path.name, max_pixels=ANY_SIZE, max_bytes=ANY_SIZE)
        if info.frames > 1 or frame:
            source: PixelSource = ArraySource(
                np.moveaxis(read_pixels(file, path.name, frame=frame).array, 0, -1)
            )
        else:
            source = open_source(path)
    if roles is None:
        return source, _told_roles(info)
    if tuple(roles) == ("rgb",):
        return source, ("rgb",)
    if len(roles) != source.channels:
        names = ", ".join(info.channel_names)
        raise ImageError(f"{len(roles)} roles for {source.channels} channels ({names})")
    used = tuple(index for index, role in enumerate(roles) if role != LEFT_OUT)
    return SomeChannels(source, used), tuple(roles[index] for index in used)


def read_roles(text: str | None) -> tuple[str, ...] | None:
    """Of `nuclear,-,whole_cell`; None: not said. Raises ImageError for a word that is no role."""
    if text is None:
        return None
    roles = tuple(word.strip() for word in text.split(","))
    for role in roles:
        if role not in (*CHANNEL_ROLES, LEFT_OUT):
            raise ImageError(f"unknown channel role {role!r}; use {', '.join(CHANNEL_ROLES)} or {LEFT_OUT}")
    return roles


@dataclass(frozen=True, slots=True)
class SomeChannels(MadeOf):
    """A source's channels of these numbers."""

    kept: tuple[int, ...]

    @property
    def channels(self) -> int:
        return len(self.kept)

    def read(self, window: Window) -> NDArray[Any]:
        return self.source.read(window)[..., self.kept]


def _told_roles(info: PixelInfo) -> tuple[str, ...]:
    if info.is_rgb:
        return ("rgb",)
    channels = len(info.channel_names)
    if channels > 2:
        raise ImageError(
            f"it has {channels} channels ({', '.join(info.channel_names)}): say which is what with --roles, "
            f"for example {','.join(['nuclear', 'whole_cell', *[LEFT_OUT] * (channels - 2)])}"
        )
    return default_roles(channels)
