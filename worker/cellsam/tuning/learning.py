"""The loop of every rung: steps, looks at the images held back, the best state kept, and a file to go on from."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from worker.cellsam.checkpoint import CheckpointError, load_state
from worker.cellsam.predictor import Predictor, Stopped
from worker.cellsam.training.state_file import (
    Tensors,
    optimizer_tensors,
    part,
    read_state,
    restore_optimizer,
    with_prefix,
    write_state,
)
from worker.cellsam.tuning.config import Schedule
from worker.cellsam.tuning.sample import TuningError

Pause = Callable[[], None]

ABOUT = ("run", "points", "losses", "step")


class Learner(Protocol):
    """What one rung trains, from what, and how it is judged. `module` is a copy: the shared model stays as it is."""

    @property
    def module(self) -> nn.Module: ...

    @property
    def steps(self) -> int:
        """At most."""

    def predictor(self) -> Predictor:
        """The model with the module as it is now."""

    def loss(self, random: np.random.Generator) -> Tensor:
        """Of one draw: a scalar with a graph to the module's parameters."""

    def quality(self, pause: Pause) -> float:
        """On the images held back, in [0, 1]; more is better. `pause` is called between images."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    step: int
    loss: float | None  # mean since the last point; None at step 0
    quality: float  # on the images held back


@dataclass(frozen=True, slots=True)
class Learned:
    """`best_step` 0: nothing was better than the start, which the module then is again."""

    curve: tuple[CurvePoint, ...]
    best_step: int

    @property
    def before(self) -> float:
        return self.curve[0].quality

    @property
    def after(self) -> float:
        return max(point.quality for point in self.curve)


@dataclass(frozen=True, slots=True)
class Courtesy:
    """What a long computation owes its surroundings, between any two of its steps."""

    progress: Callable[[float], None] = lambda done: None  # the share that is done
    should_stop: Callable[[], bool] = lambda: False
    pause: Pause = lambda: None  # may wait, to let more urgent work pass

    def part(self, start: float, end: float) -> Courtesy:
        """For a part of the work, whose own progress runs from 0 to 1."""
        return Courtesy(
            lambda done: self.progress(start + done * (end - start)), self.should_stop, self.pause
        )


@dataclass(frozen=True, slots=True)
class StateFile:
    """Where a run keeps its state, and whose it is (plain JSON): the state of another run is not gone on with."""

    path: Path
    run: dict[str, Any]


def learn(
    learner: Learner, schedule: Schedule, *, seed: int, state: StateFile | None = None, courtesy: Courtesy
) -> Learned:
    """Train the learner's module and leave it in its best state.

    Every draw depends on seed and step alone, so a run in pieces gives what the run in one would have. Raises
    TuningError if the loss is not finite; Stopped if asked to stop.
    """
    with torch.random.fork_rng(devices=[]):
        run = _Run(learner, schedule, seed)
        if state is None or not run.resumed(state):
            run.look(courtesy.pause)
        while not run.is_over:
            courtesy.pause()
            if courtesy.should_stop():
                raise Stopped
            run.take_step()
            if run.is_time_to_look:
                run.look(courtesy.pause)
                if state is not None:
                    run.save(state)
            courtesy.progress(run.step / learner.steps)
        courtesy.progress(1.0)
        return run.finish()


@dataclass
class _Run:
    learner: Learner
    schedule: Schedule
    seed: int
    step: int = 0
    points: list[CurvePoint] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    best: Tensors = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.parameters = list(self.learner.module.parameters())
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=self.schedule.rate, weight_decay=self.schedule.weight_decay
        )

    @property
    def best_point(self) -> CurvePoint:
        return max(self.points, key=lambda point: point.quality)  # the first of equals

    @property
    def is_over(self) -> bool:
        looks_in_vain = (self.points[-1].step - self.best_point.step) // self.schedule.check_every
        return self.step >= self.learner.steps or looks_in_vain >= self.schedule.patience

    @property
    def is_time_to_look(self) -> bool:
        return self.step % self.schedule.check_every == 0 or self.step == self.learner.steps

    def take_step(self) -> None:
        torch.manual_seed(hash((self.seed, self.step)) % 2**31)
        loss = self.learner.loss(np.random.default_rng([self.seed, self.step]))
        if not torch.isfinite(loss):
            raise TuningError("the loss is not finite: features or labels are damaged")
        # Only these gradients are asked for: the shared model is neither changed nor given any.
        gradients = torch.autograd.grad(loss, self.parameters, allow_unused=True)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        if self.schedule.clip is not None:
            nn.utils.clip_grad_norm_(self.parameters, self.schedule.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate_at(self.step, self.learner.steps)
        self.optimizer.step()
        self.step += 1
        self.losses.append(float(loss.detach()))

    def look(self, pause: Pause) -> None:
        loss = float(np.mean(self.losses)) if self.losses else None
        self.points.append(CurvePoint(self.step, loss, self.learner.quality(pause)))
        self.losses = []
        if not math.isfinite(self.points[-1].quality):
            raise TuningError("the model's answers are not finite: features or labels are damaged")
        if self.best_point is self.points[-1]:
            self.best = _copy(self.learner.module)

    def finish(self) -> Learned:
        load_state(self.learner.module, self.best, source="the best state")
        return Learned(tuple(self.points), self.best_point.step)

    def save(self, state: StateFile) -> None:
        tensors = with_prefix(self.learner.module.state_dict(), "module.")
        tensors |= with_prefix(self.best, "best.")
        tensors |= with_prefix(optimizer_tensors(self.optimizer), "optimizer.")
        points = [asdict(point) for point in self.points]
        state.path.parent.mkdir(parents=True, exist_ok=True)
        write_state(
            state.path, tensors, dict(zip(ABOUT, (state.run, points, self.losses, self.step), strict=True))
        )

    def resumed(self, state: StateFile) -> bool:
        """Whether there was a usable state of this very run; a damaged one costs the time, not the run."""
        if not state.path.exists():
            return False
        try:
            tensors, about = read_state(state.path, ABOUT)
            if about["run"] != state.run:
                return False
            load_state(self.learner.module, part(tensors, "module."), source=state.path.name)
        except CheckpointError:
            return False
        restore_optimizer(self.optimizer, part(tensors, "optimizer."))
        self.best = part(tensors, "best.")
        self.points = [CurvePoint(**point) for point in about["points"]]
        self.losses, self.step = about["losses"], about["step"]
        return True


def _copy(module: nn.Module) -> Tensors:
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
