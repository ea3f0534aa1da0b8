"""What is known about an image file before (PixelInfo) and after (Pixels) its samples are decoded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

RGB_NAMES = ("Red", "Green", "Blue")
_LONGEST_NAME = 80

StoredDtype = Literal["uint8", "uint16"]
FrameAxis = Literal["t", "z"]
StoredArray = NDArray[np.uint8] | NDArray[np.uint16]


class BinaryFile(Protocol):
    """What is asked of an open file: seekable, in binary. Python's own files, BytesIO and Django's all do."""

    def read(self, size: int = -1, /) -> bytes: ...

    def seek(self, offset: int, whence: int = 0, /) -> int: ...

    def tell(self) -> int: ...


class ChannelRoles(TypedDict):
    """Which channel plays which part, by name; the same shape as a project's channel map."""

    nuclear: str | None
    whole_cell: str | None
    rgb: bool


class PixelError(ValueError):
    """A file that cannot be taken in. The message names the file: what is wrong, what is still fine, what to do."""

    def __init__(
        self, name: str, wrong: str, *, do: str, fine: str = "The other files of the upload are not affected."
    ) -> None:
        super().__init__(f"{name}: {wrong}. {fine} {do}")
        self.name = name
        self.wrong = wrong
        self.fine = fine
        self.do = do


@dataclass(frozen=True, slots=True)
class PixelInfo:
    """Shape and meaning of an image file. From ``probe`` it is what the headers promise."""

    format: str  # "png", "jpeg", "tiff" or "npy"
    height: int
    width: int
    dtype: StoredDtype  # of the samples as CellLoop keeps them
    channel_names: tuple[str, ...]
    pixel_size_um: float | None  # side of a pixel; None if the file does not say
    source_dtype: str  # of the samples in the file, e.g. "float32"
    frames: int = 1  # of a time-lapse or a z-stack; each has this shape and these channels
    axis: FrameAxis | None = None  # what the frames are along; None for a single one
    notes: tuple[str, ...] = ()  # plain sentences about what was changed or left out on the way in

    @property
    def is_rgb(self) -> bool:
        return self.channel_names == RGB_NAMES

    @property
    def channels(self) -> list[dict[str, str]]:
        """The JSON form that an Image keeps."""
        return [{"name": name} for name in self.channel_names]


@dataclass(frozen=True, slots=True)
class Pixels:
    """Decoded samples and the final word on what the headers promised."""

    array: StoredArray  # (C, H, W), C-contiguous, native byte order
    info: PixelInfo

    @property
    def channel_names(self) -> tuple[str, ...]:
        return self.info.channel_names

    @property
    def pixel_size_um(self) -> float | None:
        return self.info.pixel_size_um

    @property
    def source_dtype(self) -> str:
        return self.info.source_dtype


def channel_names(count: int, declared: Iterable[str | None] = ()) -> tuple[str, ...]:
    """``count`` clean, distinct names: the declared ones where there are any, else "Channel 1", "Channel 2", ..."""
    given = [*declared][:count]
    given += [None] * (count - len(given))
    names: list[str] = []
    for number, raw in enumerate(given, start=1):
        printable = "".join(c for c in raw or "" if c.isprintable()).strip()[:_LONGEST_NAME]
        name = wanted = printable or f"Channel {number}"
        repeat = 2
        while name in names:  # channels are mapped by name, so two of one name would be one
            name, repeat = f"{wanted} {repeat}", repeat + 1
        names.append(name)
    return tuple(names)
