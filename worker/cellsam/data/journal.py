"""What has been prepared so far: a line a field, written once the field's files are in place.

A run that is killed leaves at most one unfinished line, which the next run cuts off; that field is prepared again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from worker.cellsam.data.labelled import DataError, Split

_DONE = {"done": True}


@dataclass(frozen=True, slots=True)
class PreparedCell:
    """One label of a tile, as COCO wants it."""

    label: int
    box_xywh_px: tuple[int, int, int, int]
    area: int
    counts: str  # COCO's compressed run lengths


@dataclass(frozen=True, slots=True)
class PreparedTile:
    """A tile on disk; paths are relative to the folder that is prepared."""

    image: str
    labels: str
    pixels: str  # hash of the stored pixels before normalisation; "" if the tile has no contrast
    channels: int  # that are not blank
    cells: tuple[PreparedCell, ...]


@dataclass(frozen=True, slots=True)
class PreparedField:
    """A field that is done, or (with `unreadable`) that was left out."""

    dataset: str
    name: str
    modality: str
    group: str
    split: Split | None
    split_is_final: bool
    licence: str
    tiles: tuple[PreparedTile, ...] = ()
    dropped: dict[str, int] = field(default_factory=dict)
    unreadable: str = ""  # the reason


class Journal:
    """The journal of one source."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def recover(self) -> set[str]:
        """The names of the fields that are done, after cutting off a line that a killed run did not finish."""
        if not self.path.exists():
            return set()
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            with self.path.open("r+b") as file:
                file.truncate(whole)
        return {entry.name for entry in self.fields()}

    @property
    def is_complete(self) -> bool:
        """Whether the source was read to its end."""
        return any(record == _DONE for record in self._records())

    def append(self, entry: PreparedField) -> None:
        self._write(asdict(entry))

    def complete(self) -> None:
        self._write(_DONE)

    def fields(self) -> Iterator[PreparedField]:
        """In the order of the source. Raises DataError if the journal is not ours."""
        for record in self._records():
            if record != _DONE:
                try:
                    yield _field_of(record)
                except (KeyError, TypeError) as error:
                    raise DataError(
                        self.path, "the journal is damaged; prepare into another folder"
                    ) from error

    def _records(self) -> Iterator[dict[str, Any]]:
        if not self.path.exists():
            return
        with self.path.open() as file:
            for line in file:
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise DataError(
                        self.path, "the journal is damaged; prepare into another folder"
                    ) from error

    def _write(self, record: dict[str, Any]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(record, separators=(",", ":")) + "\n")


def _field_of(record: dict[str, Any]) -> PreparedField:
    tiles = tuple(
        PreparedTile(
            **{
                **tile,
                "cells": tuple(
                    PreparedCell(**{**cell, "box_xywh_px": tuple(cell["box_xywh_px"])})
                    for cell in tile["cells"]
                ),
            }
        )
        for tile in record["tiles"]
    )
    return PreparedField(**{**record, "tiles": tiles})
