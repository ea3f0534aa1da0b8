"""What the neck makes of an image's features, kept between prompts; and how often the trunk ran for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from worker.cellsam.features import Features


@dataclass
class TrunkCounter:
    """How many times the trunk ran; predictors with one trunk have one of these."""

    calls: int = 0


@dataclass(frozen=True)
class Embeddings:
    """The neck's output for an image, computed tile by tile as prompts ask for it. Valid for one neck."""

    features: Features
    neck_hash: str
    tiles: dict[int, Tensor] = field(default_factory=dict)  # tile -> (1, C, h, w) float32
