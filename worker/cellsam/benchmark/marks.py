"""Where the time of a run goes, and how much memory it takes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import torch

PREPROCESSING, TRUNK, FINDER_TRUNK = "preprocessing", "trunk", "CellFinder's trunk"
FINDER, NECK, ASSEMBLING = "CellFinder", "neck", "assembling"
DECODING = "prompts to masks"  # decoded and read, which ours does for some prompts at a time
STAGES = (PREPROCESSING, TRUNK, FINDER_TRUNK, FINDER, NECK, DECODING, ASSEMBLING)

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds on the clock and, on a machine that does other things too, of this process's processors."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.seconds + other.seconds, self.cpu_seconds + other.cpu_seconds)

    def __truediv__(self, count: float) -> Spent:
        return Spent(self.seconds / count, self.cpu_seconds / count)

    def as_json(self) -> dict[str, float]:
        return {"seconds": round(self.seconds, 4), "cpu_seconds": round(self.cpu_seconds, 4)}

    def times(self, other: Spent) -> dict[str, float]:
        """How many times as long as the other."""
        return {
            "seconds": round(self.seconds / other.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds / other.cpu_seconds, 3),
        }


@dataclass
class Marks:
    """The time since the last mark belongs to the stage that the next one names."""

    device: torch.device
    stages: dict[str, Spent] = field(default_factory=dict)
    last: str | None = None
    _since: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def started(cls, device: torch.device) -> Marks:
        marks = cls(device)
        marks._since = marks._now()
        return marks

    def mark(self, stage: str) -> None:
        now = self._now()
        passed = Spent(now[0] - self._since[0], now[1] - self._since[1])
        self.stages[stage] = self.stages.get(stage, Spent()) + passed
        self._since, self.last = now, stage

    @property
    def total(self) -> Spent:
        return sum(self.stages.values(), Spent())

    def _now(self) -> tuple[float, float]:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter(), time.process_time()


def forget_peak(device: torch.device) -> None:
    """From now on `peak_mb` tells of what comes."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif _CLEAR.exists():
        _CLEAR.write_text("5")  # proc(5): resets the peak resident size to the current one


def peak_mb(device: torch.device) -> float | None:
    """The most memory since `forget_peak`: of the GPU, or the process's resident size; None where nothing tells."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    if not (_CLEAR.exists() and _STATUS.exists()):
        return None
    (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 2**10
