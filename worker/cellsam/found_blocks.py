"""The findings of a sweep's blocks on disk: a safetensors file each, there as a whole or not at all.

A folder serves any number of sweeps: files are addressed by all that shapes what is found.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from worker.cellsam.candidates import Candidate
from worker.cellsam.checkpoint import state_hash
from worker.cellsam.config import Thresholds
from worker.cellsam.model import CellSAM
from worker.cellsam.model_input import ModelInput
from worker.cellsam.sources import PixelSource, windows
from worker.cellsam.sweep import BLOCK_TILES, TileCells

FORMAT = "cellloop-found-1"
Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class BlockFolder:
    """`sweep.FoundBlocks` in `folder`/`key`."""

    folder: Path
    key: str

    @classmethod
    def of(
        cls,
        folder: Path,
        source: PixelSource,
        roles: Sequence[str] | None,
        made: ModelInput,
        model: CellSAM,
        thresholds: Thresholds,
        precision: torch.dtype | None,
    ) -> BlockFolder:
        """The key changes with all that shapes what is found: pixels, model, decisions, and which tiles a block has."""
        parts = [
            FORMAT,
            content_hash(source),
            list(roles or ()),
            made.preprocessing,
            asdict(made.frame.tiling),
            model.config.to_json(),
            state_hash(model.state_dict()),
            asdict(thresholds),
            str(precision),
            BLOCK_TILES,
        ]
        return cls(folder, hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest())

    def get(self, number: int) -> list[TileCells] | None:
        """None if the block was not finished, or its file is damaged."""
        try:
            return _unpacked(load(self._path(number).read_bytes()))
        except (FileNotFoundError, SafetensorError, KeyError, ValueError, IndexError):
            return None

    def put(self, number: int, found: Sequence[TileCells]) -> None:
        path = self._path(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            file.write(save(_packed(found)))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)

    def _path(self, number: int) -> Path:
        return self.folder / self.key / f"{number:06}.safetensors"


def content_hash(source: PixelSource) -> str:
    """sha256 over shape, type and samples, wherever they come from."""
    digest = hashlib.sha256(f"{source.height} {source.width} {source.channels} {source.dtype.str}".encode())
    for window in windows(source.height, source.width):
        digest.update(source.read(window).tobytes())
    return digest.hexdigest()


def _packed(found: Sequence[TileCells]) -> Columns:
    """A row a candidate; masks as bits, logits of their pixels alone, one after the other."""
    candidates = [candidate for tile in found for candidate in tile.candidates]
    return {
        "candidates": np.array([len(tile.candidates) for tile in found], dtype=np.int64),
        "doubts": np.array([len(tile.doubted) for tile in found], dtype=np.int64),
        "doubted": np.array([score for tile in found for score in tile.doubted], dtype=np.float64),
        "box": np.array([c.box_xyxy_px for c in candidates], dtype=np.float32).reshape(-1, 4),
        "scores": np.array(
            [(c.score, c.iou, c.admitted_below) for c in candidates], dtype=np.float64
        ).reshape(-1, 3),
        "place": np.array(
            [(c.tile, c.level, c.cut, *c.tile_window, *c.window, c.region_px) for c in candidates],
            dtype=np.int64,
        ).reshape(-1, 12),
        "bits": np.packbits(_joined([c.mask.ravel() for c in candidates], np.dtype(bool))),
        "logits": _joined([c.logits[c.mask] for c in candidates], np.dtype(np.float32)),
    }


def _unpacked(columns: Columns) -> list[TileCells]:
    places = [[int(value) for value in row] for row in columns["place"]]
    sizes = [(row[10] - row[8], row[9] - row[7]) for row in places]
    bits = np.unpackbits(columns["bits"].astype(np.uint8)).astype(bool)
    masks = [
        part.reshape(size)
        for part, size in zip(_parted(bits, [height * width for height, width in sizes]), sizes, strict=True)
    ]
    logits = _parted(columns["logits"], [int(mask.sum()) for mask in masks])
    rows = zip(places, masks, logits, columns["box"], columns["scores"], strict=True)
    candidates = iter([_candidate(*row) for row in rows])
    doubted = _parted(columns["doubted"], columns["doubts"].tolist())
    return [
        TileCells([next(candidates) for _ in range(count)], doubts.tolist())
        for count, doubts in zip(columns["candidates"].tolist(), doubted, strict=True)
    ]


def _candidate(
    place: list[int],
    mask: NDArray[np.bool_],
    logits: NDArray[np.float32],
    box: NDArray[np.float32],
    scores: NDArray[np.float64],
) -> Candidate:
    values = np.full(mask.shape, -np.inf, dtype=np.float32)
    values[mask] = logits
    return Candidate(
        box_xyxy_px=box,
        score=float(scores[0]),
        iou=float(scores[1]),
        admitted_below=float(scores[2]),
        tile=place[0],
        level=place[1],
        cut=bool(place[2]),
        tile_window=(place[3], place[4], place[5], place[6]),
        window=(place[7], place[8], place[9], place[10]),
        region_px=place[11],
        mask=mask,
        logits=values,
    )


def _joined(parts: Sequence[NDArray[Any]], dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.concatenate([np.empty(0, dtype=dtype), *parts])


def _parted(values: NDArray[Any], counts: Sequence[int]) -> list[NDArray[Any]]:
    """Consecutive runs of these lengths. Raises ValueError if there are too few values."""
    if sum(counts) > len(values):
        raise ValueError("values are missing")
    return np.split(values, np.cumsum(counts))[:-1] if counts else []
