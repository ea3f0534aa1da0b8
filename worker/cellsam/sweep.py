"""Through an image of any size from top to bottom, some tiles at a time; cells come out as soon as they are final.

What is held at a time is a block of tiles with their features, the cells that later tiles may still touch, and nothing
of the image. A block's findings can be kept on disk, so that a sweep that was stopped goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from worker.cellsam.candidates import Candidate
from worker.cellsam.preprocess import Frame
from worker.cellsam.stitching import BELOW_ALL, Cell, Overlaps, Stitcher

Progress = Callable[[float], None]
ShouldStop = Callable[[], bool]

BLOCK_TILES = 32


def blocks_of(frame: Frame) -> list[tuple[int, ...]]:
    """All tiles of an image, as many at a time as a sweep holds; its own blocks are the first ones, in its order."""
    order = frame.embedded
    return [order[start : start + BLOCK_TILES] for start in range(0, len(order), BLOCK_TILES)]


def untold(_: float) -> None:
    """Nobody wants to know."""


def never() -> bool:
    """Nobody stops it."""
    return False


class Stopped(Exception):
    """`should_stop` said so."""


@dataclass(frozen=True, slots=True)
class TileCells:
    """What was found in one tile."""

    candidates: Sequence[Candidate]
    doubted: Sequence[float]  # see `Segmentation`


class CellSink(Protocol):
    """Takes the cells of a sweep. Their order depends on nothing but the image and the model."""

    def take(self, cells: Sequence[Cell], settled_above: int) -> None:
        """Final cells, and the row above which no further one will have a pixel. Called with none, too."""
        ...


@dataclass(slots=True)
class CellList:
    """Cells in memory, in the order in which they came."""

    cells: list[Cell] = field(default_factory=list)

    def take(self, cells: Sequence[Cell], settled_above: int) -> None:
        self.cells += cells


class FoundBlocks(Protocol):
    """Where the findings of whole blocks are kept."""

    def get(self, number: int) -> list[TileCells] | None: ...

    def put(self, number: int, found: Sequence[TileCells]) -> None: ...


@dataclass(slots=True)
class TilesDone:
    """Tells `progress` the share of tiles, each in `steps` steps, and stops when asked to."""

    tiles: int
    progress: Progress
    should_stop: ShouldStop
    steps: int = 1
    done: int = 0

    def check(self) -> None:
        """Raises Stopped."""
        if self.should_stop():
            raise Stopped

    def count(self, steps: int = 1) -> None:
        self.done += steps
        self.progress(min(1.0, self.done / max(1, self.steps * self.tiles)))


def sweep(
    frame: Frame,
    look: Callable[[Sequence[int]], list[TileCells]],
    sink: CellSink,
    told: TilesDone,
    *,
    overlaps: Overlaps,
    kept: FoundBlocks | None = None,
) -> list[float]:
    """All cells of an image into `sink`; returns the doubted scores.

    `look` finds what is in these tiles, in their order, and counts them in `told`. Raises what it raises; blocks that
    were finished by then are in `kept`.
    """
    stitcher, doubted = Stitcher(overlaps), list[float]()
    tops = [*(frame.top(index) for index in frame.searched), BELOW_ALL]
    for number, start in enumerate(range(0, len(frame.searched), BLOCK_TILES)):
        told.check()
        block = frame.searched[start : start + BLOCK_TILES]
        found = kept.get(number) if kept is not None else None
        if found is None:
            found = look(block)
            if kept is not None:
                kept.put(number, found)
        else:
            told.count(told.steps * len(block))
        for place, tile in enumerate(found, start=start):
            stitcher.add(tile.candidates)
            doubted += tile.doubted
            if tops[place + 1] > tops[place]:
                sink.take(stitcher.settle(tops[place + 1]), stitcher.settled_above(tops[place + 1]))
    return doubted
