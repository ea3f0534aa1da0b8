"""How a budget of wall time is spent: learning rate and crop size by the fraction that has passed."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Schedule:
    """Warm-up, a plateau, a cosine to almost nothing; small windows first because they cost a quarter."""

    learning_rate: float = 8e-4
    warmup_steps: int = 100
    hold: float = 0.3  # fraction of the budget before the rate begins to fall
    final: float = 0.02  # of the learning rate
    small_until: float = 0.7
    small_px: int = 128
    small_batch: int = 8  # per process
    full_batch: int = 4

    def rate(self, fraction: float, step: int) -> float:
        """Learning rate after `fraction` of the budget, in step number `step` from 0."""
        warm = min(1.0, (step + 1) / self.warmup_steps)
        if fraction < self.hold:
            return self.learning_rate * warm
        fallen = min(1.0, (fraction - self.hold) / (1 - self.hold))
        cosine = 0.5 * (1 + math.cos(math.pi * fallen))
        return self.learning_rate * warm * (cosine * (1 - self.final) + self.final)

    def crop(self, fraction: float, full_px: int) -> tuple[int, int]:
        """(crop side in pixels, crops per process)."""
        if fraction < self.small_until and self.small_px < full_px:
            return self.small_px, self.small_batch
        return full_px, self.full_batch
