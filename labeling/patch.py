"""The one kind of change: cells added, updated and removed. Pure; the same JSON as in the browser and in every Edit.

Boxes are tight and half-open [x0, y0, x1, y1) in image pixels; runs are row-major inside the box, background first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from labeling.rle import BoxMask

Json = dict[str, Any]
Source = Literal["model", "person"]
Box = tuple[int, int, int, int]

_CELL_KEYS = {"id", "label", "box", "rle", "score", "source", "model_version"}
_LATER_CELL_KEYS = {"class_id"}  # may lack: patches in the history are older than classes
_PATCH_KEYS = {"added", "updated", "removed"}
_MAX_LABEL = 2**31 - 2  # the label after it must fit a 32-bit column too


class PatchError(ValueError):
    """The patch is not well formed, or does not apply; the message names what was wrong."""


@dataclass(frozen=True, slots=True)
class CellState:
    """One cell at one moment. ``id`` is a canonical UUID string made by the client, ``label`` a stable integer.

    ``class_id`` names a class of the project's ontology; None is no class, and so is a JSON cell without the key.
    """

    id: str
    label: int
    box: Box
    rle: tuple[int, ...]
    score: float | None
    source: Source
    model_version: str | None
    class_id: str | None = None

    @classmethod
    def from_json(cls, value: object) -> CellState:
        """Raises PatchError if a key is missing, unknown, or of the wrong type."""
        data = _mapping(value, _CELL_KEYS, "a cell", optional=_LATER_CELL_KEYS)
        box, rle = _integers(data["box"], "box"), _integers(data["rle"], "rle")
        if len(box) != 4:
            raise PatchError("a cell's box has four numbers")
        if data["source"] not in ("model", "person"):
            raise PatchError(f"a cell's source is 'model' or 'person', not {data['source']!r}")
        version, class_id = data["model_version"], data.get("class_id")
        return cls(
            id=_uuid(data["id"], "id"),
            label=_label(data["label"]),
            box=box,
            rle=rle,
            score=_score(data["score"]),
            source=data["source"],
            model_version=None if version is None else _uuid(version, "model_version"),
            class_id=None if class_id is None else _uuid(class_id, "class_id"),
        )

    def to_json(self) -> Json:
        return {
            "id": self.id,
            "label": self.label,
            "box": list(self.box),
            "rle": list(self.rle),
            "score": self.score,
            "source": self.source,
            "model_version": self.model_version,
            "class_id": self.class_id,
        }

    @property
    def mask(self) -> BoxMask:
        return BoxMask(box=self.box, rle=self.rle)

    @property
    def area(self) -> int:
        """Number of pixels."""
        return sum(self.rle[1::2])

    def validate(self, height: int, width: int) -> None:
        """Raise PatchError unless the box is tight, inside the (height, width) image, and filled by the runs.

        Costs the number of runs, never the area: a cell may be as large as the image.
        """
        x0, y0, x1, y1 = self.box
        if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
            raise PatchError(
                f"cell {self.id}: box {list(self.box)} is not inside the image of {width} x {height}"
            )
        if min(self.rle, default=-1) < 0 or 0 in self.rle[1:]:
            raise PatchError(f"cell {self.id}: runs must be positive; only the first may be 0")
        if sum(self.rle) != (x1 - x0) * (y1 - y0):
            raise PatchError(f"cell {self.id}: runs do not fill the box {list(self.box)}")
        if not _is_tight(self.rle, width=x1 - x0, height=y1 - y0):
            raise PatchError(f"cell {self.id}: box {list(self.box)} is larger than the cell")


@dataclass(frozen=True, slots=True)
class Update:
    """One cell before and after; the id stays."""

    before: CellState
    after: CellState


@dataclass(frozen=True, slots=True)
class Patch:
    added: tuple[CellState, ...] = ()
    updated: tuple[Update, ...] = ()
    removed: tuple[CellState, ...] = ()

    @classmethod
    def from_json(cls, value: object) -> Patch:
        """Raises PatchError if it is not a patch, or names a cell twice."""
        data = _mapping(value, _PATCH_KEYS, "a patch")
        patch = cls(
            added=tuple(CellState.from_json(cell) for cell in _list(data["added"], "added")),
            updated=tuple(_update(pair) for pair in _list(data["updated"], "updated")),
            removed=tuple(CellState.from_json(cell) for cell in _list(data["removed"], "removed")),
        )
        if len(set(patch.ids())) != patch.size:
            raise PatchError("a patch names each cell once")
        return patch

    def to_json(self) -> Json:
        return {
            "added": [cell.to_json() for cell in self.added],
            "updated": [{"before": u.before.to_json(), "after": u.after.to_json()} for u in self.updated],
            "removed": [cell.to_json() for cell in self.removed],
        }

    @property
    def size(self) -> int:
        """Number of cells that it touches."""
        return len(self.added) + len(self.updated) + len(self.removed)

    def ids(self) -> Iterator[str]:
        """Ids of the touched cells."""
        yield from (cell.id for cell in self.added)
        yield from (update.before.id for update in self.updated)
        yield from (cell.id for cell in self.removed)

    def gone(self) -> Iterator[CellState]:
        """States that exist before and not after: the removed cells and each update's before."""
        yield from self.removed
        yield from (update.before for update in self.updated)

    def new(self) -> Iterator[CellState]:
        """States that exist after and not before: the added cells and each update's after."""
        yield from self.added
        yield from (update.after for update in self.updated)

    def validate(self, height: int, width: int) -> None:
        """Raise PatchError if the patch is empty or a new state does not lie in the (height, width) image."""
        if self.size == 0:
            raise PatchError("the patch changes nothing")
        for cell in self.new():
            cell.validate(height, width)
        labels = [cell.label for cell in self.new()]
        if len(set(labels)) != len(labels):
            raise PatchError("two cells of the patch have the same label")

    def invert(self) -> Patch:
        """The patch that takes this one back."""
        return Patch(
            added=self.removed,
            updated=tuple(Update(before=u.after, after=u.before) for u in self.updated),
            removed=self.added,
        )

    def apply(self, cells: Mapping[str, CellState]) -> dict[str, CellState]:
        """The cells (by id) after the patch. Raises PatchError if one is not as the patch says it was."""
        result = dict(cells)
        for state in self.gone():
            if result.pop(state.id, None) != state:
                raise PatchError(f"cell {state.id} is not as the patch says it was")
        for state in self.new():
            if state.id in result:
                raise PatchError(f"cell {state.id} exists already")
            result[state.id] = state
        return result


def _update(value: object) -> Update:
    data = _mapping(value, {"before", "after"}, "an update")
    update = Update(before=CellState.from_json(data["before"]), after=CellState.from_json(data["after"]))
    if update.before.id != update.after.id:
        raise PatchError("an update keeps the id of its cell")
    return update


def _is_tight(runs: tuple[int, ...], *, width: int, height: int) -> bool:
    """Whether the set pixels reach all four sides of the (height, width) box."""
    start, first, last, left, right = 0, -1, -1, False, False
    for index, length in enumerate(runs):
        if index % 2 == 1:
            end = start + length
            wraps = start // width != (end - 1) // width  # a run over a row's end covers both outer columns
            left = left or wraps or start % width == 0
            right = right or wraps or end % width == 0
            first, last = (start if first < 0 else first), end - 1
        start += length
    return left and right and 0 <= first < width and last // width == height - 1


def _mapping(value: object, keys: set[str], what: str, *, optional: Set[str] = frozenset()) -> Json:
    if not isinstance(value, dict):
        raise PatchError(f"{what} is an object")
    if value.keys() - optional != keys:
        raise PatchError(f"{what} has exactly the keys {', '.join(sorted(keys))}")
    return value


def _list(value: object, name: str) -> list[object]:
    if not isinstance(value, list):
        raise PatchError(f"{name} is a list")
    return value


def _integers(value: object, name: str) -> tuple[int, ...]:
    if not isinstance(value, list) or any(type(item) is not int for item in value):
        raise PatchError(f"a cell's {name} is a list of whole numbers")
    return tuple(value)


def _label(value: object) -> int:
    if type(value) is not int or not 0 < value <= _MAX_LABEL:
        raise PatchError(f"a cell's label is a whole number from 1 to {_MAX_LABEL}")
    return value


def _score(value: object) -> float | None:
    if value is None:
        return None
    try:
        score = math.nan if isinstance(value, bool) or not isinstance(value, int | float) else float(value)
    except OverflowError:  # JSON's whole numbers have no end
        score = math.inf
    if not math.isfinite(score):
        raise PatchError("a cell's score is a number or null")
    return score


def _uuid(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise PatchError(f"a cell's {name} is a UUID")
    try:
        return str(UUID(value))
    except ValueError as error:
        raise PatchError(f"a cell's {name} is a UUID, not {value[:40]!r}") from error
