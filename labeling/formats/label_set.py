"""The cells of one image, as every file format reads and writes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from labeling.rle import BoxMask

CellSource = Literal["model", "person"]
MAX_PIXELS = 400_000_000  # of a label image that is read


class FormatError(ValueError):
    """The bytes are no file of this format, or describe impossible cells. The message says what is wrong."""


@dataclass(frozen=True, slots=True)
class LabelClass:
    """A class of the ontology. Its name is what other programs know it by."""

    name: str
    id: str = ""  # UUID; "" if the file does not say
    colour: str = ""  # "#rrggbb"; "" if the file does not say


@dataclass(frozen=True, slots=True)
class LabelledCell:
    """One cell. Fields that a format cannot carry come back as their defaults."""

    label: int  # > 0, unique in the set, stable for the life of the cell
    mask: BoxMask
    id: str = ""  # UUID; "" if the file does not say
    score: float | None = None  # the model's confidence; None for cells that a person drew
    source: CellSource = "person"
    class_name: str = ""  # one of the set's classes; "" is none
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelSet:
    """All cells of a (height, width) image; where they overlap, later ones lie on top. ``notes`` are on the image."""

    height: int
    width: int
    cells: tuple[LabelledCell, ...]
    image_name: str = ""
    classes: tuple[LabelClass, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A file's bytes, and plain sentences about what the format could not carry."""

    data: bytes
    report: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """One file format: a key for addresses and forms, a name for people, and its two functions."""

    key: str
    name: str
    suffix: str  # appended to the image's name without its own ending
    media_type: str
    write: Callable[[LabelSet], Written]
    read: Callable[[bytes], LabelSet]
