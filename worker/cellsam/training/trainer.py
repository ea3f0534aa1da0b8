"""The training loop: a budget of wall time, one or several processes, always resumable.

On a CPU two processes of one thread are faster than one of two: the small model's operations hardly parallelise.
"""

from __future__ import annotations

import csv
import math
import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor
from torch.multiprocessing.spawn import spawn

from worker.cellsam.build import build
from worker.cellsam.checkpoint import Card, save
from worker.cellsam.config import CellSAMConfig
from worker.cellsam.data.manifest import Entry, Field
from worker.cellsam.device import AUTO, choose_device
from worker.cellsam.training.crops import Augmentation, CropSampler, image_weights
from worker.cellsam.training.distributed import Processes
from worker.cellsam.training.objective import JointObjective
from worker.cellsam.training.schedule import Schedule
from worker.cellsam.training.state import TrainingState
from worker.cellsam.training.targets import Batch

STATE_FILE, MODEL_FILE, LOG_FILE = "state.safetensors", "model.safetensors", "log.csv"
LOG_EVERY = 50  # steps


class TrainingError(RuntimeError):
    """The run cannot go on; the message says why."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One command's worth of training. `shares` is each modality's part of the crops; unnamed ones get none."""

    entries: Sequence[Entry]
    out: Path
    config: CellSAMConfig
    minutes: float
    shares: Mapping[str, float]
    processes: int = 2
    seed: int = 0
    device: str = AUTO  # see `choose_device`
    schedule: Schedule = field(default_factory=Schedule)
    augmentation: Augmentation = field(default_factory=Augmentation)
    weight_decay: float = 0.03
    clip: float = 3.0
    snapshot_seconds: float = 240.0
    card: Card = field(default_factory=Card)


def train(run: TrainingRun) -> Path:
    """Train, or go on with the run whose state lies in `run.out`; returns the path of the averaged model.

    Snapshots of state and model are written every `snapshot_seconds`, so a killed run loses minutes at most.
    """
    run.out.mkdir(parents=True, exist_ok=True)
    if run.processes == 1:
        _train_process(0, run, None)
    else:
        spawn(_train_process, args=(run, _free_port()), nprocs=run.processes)  # type: ignore[no-untyped-call]
    return run.out / MODEL_FILE


def _train_process(rank: int, run: TrainingRun, port: int | None) -> None:
    device = torch.device(choose_device(run.device))
    if device.type == "cpu":
        torch.set_num_threads(1)
    if port is not None:
        dist.init_process_group(
            "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=run.processes
        )
    try:
        _Worker(Processes(rank, run.processes, device), run).run_to_the_end()
    finally:
        if port is not None:
            dist.destroy_process_group()


class _Worker:
    """One process's part of a run. Processes differ by their crops alone; gradients are averaged in every step."""

    def __init__(self, team: Processes, run: TrainingRun) -> None:
        self.team, self.run = team, run
        torch.manual_seed(run.seed)  # the same first weights everywhere
        objective = JointObjective(build(run.config)).to(team.device)
        self.state = TrainingState(objective, weight_decay=run.weight_decay, betas=(0.9, 0.98))
        if (run.out / STATE_FILE).exists():
            self.state.load(run.out / STATE_FILE)
        # Crops of a resumed run must not repeat those it has seen.
        seed = run.seed + 1000 * team.rank + 7919 * self.state.counters.step
        torch.manual_seed(seed)
        used = [entry for entry in run.entries if run.shares.get(entry.modality)]
        fields = [Field.read(entry, colour=run.config.colour) for entry in used]
        self.sampler = CropSampler(
            fields,
            weights=image_weights(fields, run.shares),
            random=np.random.default_rng(seed),
            augmentation=run.augmentation,
        )
        self.log = _Log(run.out / LOG_FILE) if team.first else None

    def run_to_the_end(self) -> None:
        counters = self.state.counters
        started, before = time.monotonic(), counters.seconds
        snapshot = started
        while True:
            counters.seconds = before + time.monotonic() - started
            fraction = self.team.of_first(counters.seconds / 60 / self.run.minutes)
            if fraction >= 1:
                break
            losses, norm = self._step(fraction)
            if self.log is not None:
                self.log.add(
                    counters.step,
                    counters.seconds,
                    fraction,
                    counters.crops,
                    self._rate(fraction),
                    norm,
                    losses,
                )
                if time.monotonic() - snapshot > self.run.snapshot_seconds:
                    snapshot = time.monotonic()
                    self._save()
        if self.team.first:
            self._save()

    def _step(self, fraction: float) -> tuple[dict[str, float], float]:
        state, run = self.state, self.run
        for group in state.optimizer.param_groups:
            group["lr"] = self._rate(fraction)
        losses = state.objective(self._batch(fraction))
        total: Tensor = torch.stack(list(losses.values())).sum()
        state.optimizer.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        self.team.average_gradients(state.parameters)
        norm = float(torch.nn.utils.clip_grad_norm_(state.parameters, run.clip))
        if not math.isfinite(norm):
            raise TrainingError(f"the gradient is not finite in step {state.counters.step}")
        state.optimizer.step()
        state.counters.step += 1
        state.follow()
        return {name: float(loss.detach()) for name, loss in losses.items()}, norm

    def _batch(self, fraction: float) -> Batch:
        trunk = self.run.config.trunk
        size, count = self.run.schedule.crop(fraction, trunk.input_px)
        # A small window lies anywhere in the full input, so that all positions are learned.
        free = (trunk.input_px - size) // trunk.patch_px
        row, column = (int(v) for v in self.sampler.random.integers(0, free + 1, 2))
        self.state.counters.crops += count * self.run.processes
        pixels, labels = self.sampler.batch(count, size)
        return Batch.of(
            pixels,
            labels,
            origin=(row, column),
            patch_px=trunk.patch_px,
            input_px=trunk.input_px,
            device=self.team.device,
        )

    def _rate(self, fraction: float) -> float:
        return self.run.schedule.rate(fraction, self.state.counters.step)

    def _save(self) -> None:
        counters = self.state.counters
        done = {"minutes": round(counters.seconds / 60, 1), "steps": counters.step, "crops": counters.crops}
        card = Card({**self.run.card.training, **done}, self.run.card.metrics, self.run.card.licence)
        self.state.save(self.run.out / STATE_FILE)
        save(self.state.average, self.run.out / MODEL_FILE, card=card)


class _Log:
    """Means of the last `LOG_EVERY` steps, a line each. All losses appear within the first: they are the columns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sums: dict[str, float] = {}
        self.added = 0

    def add(
        self,
        step: int,
        seconds: float,
        fraction: float,
        crops: int,
        rate: float,
        norm: float,
        losses: dict[str, float],
    ) -> None:
        for name, value in {"gradient_norm": norm, **losses}.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.added += 1
        if step % LOG_EVERY:
            return
        row: dict[str, object] = {
            "step": step,
            "seconds": round(seconds, 1),
            "fraction": round(fraction, 4),
            "crops": crops,
            "rate": f"{rate:.3g}",
        }
        row |= {name: round(value / self.added, 4) for name, value in sorted(self.sums.items())}
        fresh = not self.path.exists()
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(row))
            if fresh:
                writer.writeheader()
            writer.writerow(row)
        self.sums, self.added = {}, 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_processes() -> int:
    """A sensible number of processes for this machine's CPU."""
    return max(1, min(2, os.cpu_count() or 1))
