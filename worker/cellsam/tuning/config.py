"""How much and how fast each rung of the ladder learns."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Schedule:
    """A rung's steps: `passes` over what it learns from, within `least` and `most`; early stopping may come first."""

    rate: float
    passes: float
    least: int
    most: int
    check_every: int  # steps between two looks at the images held back
    patience: int = 3  # looks without a better result
    final: float = (
        1.0  # the rate at the last step, as a share of `rate`; on the way there it falls along a cosine
    )
    warm_up: int = 0  # first steps, over which the rate rises from nothing
    clip: float | None = None  # of the gradient's norm
    weight_decay: float = 1e-4

    def steps(self, items: int, items_a_step: int) -> int:
        """How many for so many cells or tiles."""
        return max(self.least, min(self.most, math.ceil(self.passes * items / items_a_step)))

    def rate_at(self, step: int, steps: int) -> float:
        """In this step, from 0, of so many."""
        risen = min(1.0, (step + 1) / self.warm_up) if self.warm_up else 1.0
        fall = (1 + math.cos(math.pi * min(1.0, step / steps))) / 2
        return self.rate * risen * (self.final + (1 - self.final) * fall)


@dataclass(frozen=True, slots=True)
class TuningConfig:
    """The neck as in the paper's Appendix B: AdamW at 1e-4, weight decay 1e-4, no clipping, true boxes."""

    neck: Schedule = field(
        default_factory=lambda: Schedule(rate=1e-4, passes=20, least=100, most=200, check_every=25)
    )
    finder: Schedule = field(
        default_factory=lambda: Schedule(
            rate=2e-4, passes=20, least=100, most=400, check_every=25, final=0.05, clip=3.0
        )
    )
    # Patient: at its full rate a trunk can be worse than its start for hundreds of steps, and better in the end.
    trunk: Schedule = field(
        default_factory=lambda: Schedule(
            rate=4e-4,
            passes=60,
            least=300,
            most=1000,
            check_every=100,
            patience=10,
            final=0.05,
            warm_up=50,
            clip=3.0,
        )
    )
    windows_a_step: int = 4  # of the neck: each holds up to so many prompts
    prompts: int = 5
    tiles_a_step: int = 4  # of CellFinder
    half_tiles_a_step: int = 6  # of the trunk; it sees the one or the other, see `TrunkLearner`
    whole_tiles_a_step: int = 2
    replay_share: float = 0.25  # of the draws, at least, that images of earlier runs get; see `replay`
    validation_share: float = 0.25  # of the images; held back for early stopping and the threshold
    max_validation_images: int = 12
    max_validation_tiles: int = 100  # the trunk's rung embeds them at each look
    max_validation_cells: int = 150  # decoded at each look; more would cost more than the training
    min_images: int = 2
    min_cells: int = 10
    seed: int = 0
