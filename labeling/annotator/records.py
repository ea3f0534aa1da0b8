"""What a campaign is, and what is written down about each image and each training run of it, as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from labeling.annotator.cost_model import Kind


class Arm(StrEnum):
    """The ways of working that are compared."""

    BOXES = "boxes"  # from scratch: nothing is shown, every cell is boxed
    PRESEGMENTED = "presegmented"  # the base's cells are shown and repaired; it never learns
    LOOP = "loop"  # the same, with a training run after every few images
    POLYGONS = "polygons"  # by hand, without a model, by the cost model alone


class Order(StrEnum):
    """In which order the images are labelled."""

    LEARNED = "learned"  # as the project's queue says
    RANDOM = "random"  # uploaded and labelled in an order drawn by the seed
    UPLOAD = "upload"  # as the manifest lists them


@dataclass(frozen=True, slots=True)
class Plan:
    """One arm with one seed. The seed draws the images, their order and the hand's errors, alike in all arms."""

    domain: str
    arm: Arm
    order: Order
    seed: int
    images: int
    every: int  # images between two training runs

    @property
    def name(self) -> str:
        return f"{self.domain}-{self.arm}-{self.order}-{self.seed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """One image as it was labelled. ``cells`` are true ones; ``missed``, ``false`` and ``reshaped`` count cells, the
    kinds of action count actions; the figures of what was ``shown`` and of what was accepted are against the truth."""

    domain: str
    arm: str
    order: str
    seed: int
    place: int  # from 1, in the order of labelling
    round: int  # from 1
    image: str
    blind: bool  # held out and labelled without seeing the model's cells
    cells: int
    shown: int
    missed: int
    false: int
    reshaped: int
    delete: int
    clear: int
    redraw: int
    brush: int
    box: int
    vertex: int
    seconds: float
    f1_shown: float
    f1: float
    mean_iou: float
    version: str  # that made what was shown
    reason: str  # why the queue offered it

    @property
    def actions(self) -> int:
        return sum(int(getattr(self, kind.value)) for kind in Kind)

    @property
    def missed_and_false_corrections(self) -> int:
        """Missed cells, each drawn once, and what removing false ones took: a click each, or one for all."""
        return self.delete + self.clear + (self.cells if self.clear else self.missed)

    @property
    def corrections(self) -> int:
        """The same and reshaped cells: 1 a cell where everything is drawn. Unlike `actions`, a cell counts once, also
        where the mask that its box brought had to be mended."""
        return self.missed_and_false_corrections + (0 if self.clear else self.reshaped)

    @property
    def corrected(self) -> int:
        return self.missed + self.false + self.reshaped


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A training run, and what the gate said; ``f1_before`` and ``f1_after`` are the gate's, empty if it saw none."""

    domain: str
    arm: str
    order: str
    seed: int
    after_round: int
    decision: str
    reason: str
    version: str
    rung: str
    seconds: float
    f1_before: str
    f1_after: str


Record = TypeVar("Record", ImageRecord, RunRecord)


def append(path: Path, record: ImageRecord | RunRecord) -> None:
    """Add a line, with the header if it is the first."""
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(record)])
        if new:
            writer.writeheader()
        writer.writerow(asdict(record))


def write(path: Path, records: Sequence[ImageRecord] | Sequence[RunRecord]) -> None:
    """All records anew."""
    path.unlink(missing_ok=True)
    for record in records:
        append(path, record)


def read(kind: type[Record], paths: Iterable[Path]) -> list[Record]:
    """The records of the files that exist, in order. Raises ValueError for a file of other columns."""
    types = get_type_hints(kind)
    found: list[Record] = []
    for path in paths:
        if path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                found += [kind(**_typed(row, types, path)) for row in csv.DictReader(file)]
    return found


def _typed(row: dict[str, str], types: dict[str, type], path: Path) -> dict[str, Any]:
    if set(row) != set(types):
        raise ValueError(f"{path} was written by another version: its columns are {', '.join(row)}")
    return {name: row[name] == "True" if kind is bool else kind(row[name]) for name, kind in types.items()}
