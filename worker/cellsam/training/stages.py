"""What the paper's two training stages have in common: epochs over labelled tiles, resumable at any step.

Runs in one process or in those that `torchrun` started, on GPUs or CPUs. A stage says what is trained and on which
losses (`finder_stage`, `neck_stage`); this loop does the rest. It never opens the test split.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from worker.cellsam.checkpoint import Card, save
from worker.cellsam.data.manifest import Entry, read_manifest
from worker.cellsam.device import AUTO
from worker.cellsam.model import CellSAM
from worker.cellsam.training.criterion import Losses, MeanCount
from worker.cellsam.training.distributed import Processes, processes
from worker.cellsam.training.precision import LOWEST_SCALE, Precision, PrecisionName
from worker.cellsam.training.run_log import RunLog
from worker.cellsam.training.stage_state import Progress, Settings, StageState
from worker.cellsam.training.targets import Batch
from worker.cellsam.training.tiles import UNCHANGED, EpochOrder, Tiles, batches
from worker.cellsam.training.trainer import TrainingError
from worker.cellsam.training.validation import Validation, is_better, spread

STATE_FILE, MODEL_FILE, BEST_FILE = "state.safetensors", "model.safetensors", "best.safetensors"
FULL_RATE = (7, 10)  # share of the epochs before the rate falls


class Stage(Protocol):
    """A frozen dataclass, whose fields are the stage's settings."""

    @property
    def name(self) -> str: ...

    @property
    def clip(self) -> float | None:
        """Largest gradient norm; None: as it comes."""

    def prepare(self, model: CellSAM) -> list[dict[str, Any]]:
        """Freeze what is not trained; the optimiser's groups, each with `name`, `params`, `lr` and `weight_decay`."""

    def losses(self, model: CellSAM, batch: Batch, precision: Precision, mean_count: MeanCount) -> Losses:
        """Of a training batch. Normalised by counts over all processes, so that these act as one large batch."""

    def validate(self, model: CellSAM, batches: Iterable[Batch], precision: Precision) -> Validation:
        """Batches of one image each, pooled."""


@dataclass(frozen=True, slots=True)
class StageRun:
    """One command's worth of training."""

    data: Path
    out: Path
    epochs: int
    batch: int = 2  # of each process
    datasets: tuple[str, ...] | None = None
    seed: int = 0
    fall: float = 0.9  # factor on the rates after 70% of the epochs: "by 10%", as the paper words it
    precision: PrecisionName = "auto"
    recompute: bool = False  # activations of the trunk in the backward pass: less memory, a third more time
    workers: int = 0  # reading processes
    device: str = AUTO  # see `processes`
    validation_images: int = 64
    log_every: int = 20  # steps
    snapshot_minutes: float = 10.0
    minutes: float | None = None  # of this piece of the run
    card: Card = field(default_factory=Card)


def rate_factor(epoch: int, epochs: int, fall: float) -> float:
    """Of the learning rates in epoch number `epoch` from 0: 1, and `fall` after 70% of all epochs."""
    share, whole = FULL_RATE
    return 1.0 if epoch * whole < epochs * share else fall


def train_stage(
    run: StageRun,
    stage: Stage,
    model: CellSAM,
    *,
    report: Callable[[int, Mapping[str, float]], None] = lambda _epoch, _figures: None,
) -> bool:
    """Train `model` in place, or go on with the run whose state lies in `run.out`. Whether the run came to its end.

    Writes to `run.out`, at the end of each epoch: the model, the best one by validation (F1, then loss), the state, the
    logs; the state also every `snapshot_minutes`. `report` is called in the first process with each epoch's number and
    figures. Raises TrainingError if the loss is not finite, CheckpointError if the state there is of another run,
    ManifestError if there are no training or no validation images, DeviceError.
    """
    if run.epochs < 1 or run.batch < 1:
        raise TrainingError(f"{run.epochs} epochs of batches of {run.batch}: both must be at least 1")
    training = read_manifest(run.data, "train", run.datasets)
    validation = spread(read_manifest(run.data, "val", run.datasets), run.validation_images)
    run.out.mkdir(parents=True, exist_ok=True)
    with processes(run.device) as team:
        return _Loop(run, stage, model, team, training, validation, report).to_the_end()


class _Loop:
    def __init__(
        self,
        run: StageRun,
        stage: Stage,
        model: CellSAM,
        team: Processes,
        training: Sequence[Entry],
        validation: Sequence[Entry],
        report: Callable[[int, Mapping[str, float]], None],
    ) -> None:
        self.run, self.stage, self.team, self.report = run, stage, team, report
        self.model = model.to(team.device)
        self.model.trunk.recompute = run.recompute
        groups = stage.prepare(self.model)
        self.rates = {group["name"]: float(group["lr"]) for group in groups}
        self.parameters: list[nn.Parameter] = [p for group in groups for p in group["params"]]
        self.precision = Precision.of(run.precision, team.device)
        self.state = StageState(
            self.model,
            torch.optim.AdamW(groups),
            self.precision.scaler(),
            _settings(run, stage, model, team, self.precision, training),
        )
        if (run.out / STATE_FILE).exists():
            self.state.load(run.out / STATE_FILE)
        self.training = Tiles(training, model.config, run.seed)
        self.validation = Tiles(validation, model.config, run.seed)
        self.order = EpochOrder(len(training), run.batch, run.seed, team.rank, team.count)
        self.card = _card(run, stage, training)
        self.started = self.saved = time.monotonic()
        self.seconds_before = self.progress.seconds

    @property
    def progress(self) -> Progress:
        return self.state.progress

    def to_the_end(self) -> bool:
        if not self.team.first:
            return self._epochs(None)
        with RunLog(self.run.out, step=self.progress.step) as log:
            return self._epochs(log)

    def _epochs(self, log: RunLog | None) -> bool:
        while self.progress.epoch < self.run.epochs:
            if not self._train_epoch(log):
                return False
            self._end_epoch(log)
        return True

    def _train_epoch(self, log: RunLog | None) -> bool:
        """The rest of this epoch's steps; whether there was time for all of them."""
        progress = self.progress
        self.model.train()
        keys = self.order.keys(progress.epoch, progress.step_of_epoch)
        for batch in batches(self.training, keys, workers=self.run.workers, device=self.team.device):
            self._log_step(log, *self._step(batch))
            if self.team.of_first(self._time_is_up()):
                self._save_state()
                return False
            if time.monotonic() - self.saved > self.run.snapshot_minutes * 60:
                self._save_state()
        return True

    def _step(self, batch: Batch) -> tuple[dict[str, float], float]:
        """Losses, and the norm of their gradient before clipping."""
        state, progress, scaler = self.state, self.progress, self.state.scaler
        torch.manual_seed(_seed(self.run.seed, progress.epoch, progress.step_of_epoch, self.team.rank))
        factor = rate_factor(progress.epoch, self.run.epochs, self.run.fall)
        for group, rate in zip(state.optimizer.param_groups, self.rates.values(), strict=True):
            group["lr"] = rate * factor
        losses = self.stage.losses(self.model, batch, self.precision, self.team.mean)
        total: Tensor = torch.stack(list(losses.values())).sum()
        state.optimizer.zero_grad()
        scaler.scale(total).backward()  # type: ignore[no-untyped-call]
        self.team.average_gradients(self.parameters)
        means = self.team.means(losses)
        _check_finite(means, progress.step)
        scaler.unscale_(state.optimizer)
        norm = self._clip()
        scaler.step(state.optimizer)
        scaler.update()
        progress.step += 1
        progress.step_of_epoch += 1
        for name, loss in means.items():
            progress.sums[name] = progress.sums.get(name, 0.0) + loss
        return means, norm

    def _clip(self) -> float:
        limit = math.inf if self.stage.clip is None else self.stage.clip
        norm = float(nn.utils.clip_grad_norm_(self.parameters, limit))
        scaler = self.state.scaler
        # With float16 an overflow now and then is expected: the scaler leaves that step out and scales less.
        if not math.isfinite(norm) and not (scaler.is_enabled() and scaler.get_scale() > LOWEST_SCALE):
            raise TrainingError(f"the gradient is not finite in step {self.progress.step}")
        return norm

    def _log_step(self, log: RunLog | None, losses: dict[str, float], norm: float) -> None:
        progress = self.progress
        progress.seconds = self.seconds_before + time.monotonic() - self.started
        if log is not None and progress.step % self.run.log_every == 0:
            row = {
                "epoch": progress.epoch,
                "seconds": progress.seconds,
                **self._rates(),
                "gradient_norm": norm,
            }
            log.add("steps", progress.step, row | {"loss": sum(losses.values())} | losses)

    def _end_epoch(self, log: RunLog | None) -> None:
        progress, steps = self.progress, self.progress.step_of_epoch
        losses = {name: total / steps for name, total in progress.sums.items()}
        figures = {"loss": sum(losses.values()), **losses, **self._validate().figures}
        better = is_better(figures, progress.best)
        if better:
            progress.best = figures
        row = {"epoch": progress.epoch, "seconds": progress.seconds, **self._rates(), **figures}
        progress.epoch, progress.step_of_epoch, progress.sums = progress.epoch + 1, 0, {}
        if log is None:
            return
        log.add("epochs", progress.step, row)
        if better:
            self._save_model(BEST_FILE, figures)
        self._save_model(MODEL_FILE, figures)
        self._save_state()
        self.report(progress.epoch, figures)

    @torch.no_grad()
    def _validate(self) -> Validation:
        """Over all processes, each with its share of the images."""
        self.model.eval()
        mine = range(self.team.rank, len(self.validation.entries), self.team.count)
        keys = [[(UNCHANGED, index)] for index in mine]
        found = batches(self.validation, keys, workers=self.run.workers, device=self.team.device)
        pooled = self.stage.validate(self.model, found, self.precision)
        return Validation.of_sums(self.team.sums(pooled.sums))

    def _rates(self) -> dict[str, float]:
        groups = zip(self.rates, self.state.optimizer.param_groups, strict=True)
        return {f"rate_{name}": float(group["lr"]) for name, group in groups}

    def _time_is_up(self) -> bool:
        return self.run.minutes is not None and time.monotonic() - self.started > self.run.minutes * 60

    def _save_state(self) -> None:
        self.saved = time.monotonic()
        if self.team.first:
            self.state.save(self.run.out / STATE_FILE)

    def _save_model(self, name: str, figures: Mapping[str, float]) -> None:
        progress = self.progress
        done = {"epochs": progress.epoch, "steps": progress.step, "minutes": round(progress.seconds / 60, 1)}
        metrics = {name: round(value, 4) for name, value in figures.items() if name.startswith("val_")}
        card = Card({**self.card.training, **done}, {"validation": metrics}, self.card.licence)
        save(self.model, self.run.out / name, card=card, half=False)


def _settings(
    run: StageRun,
    stage: Stage,
    model: CellSAM,
    team: Processes,
    precision: Precision,
    training: Iterable[Entry],
) -> Settings:
    """What a run must not change on its way. The number of processes may change as long as the batch does not."""
    images = "\n".join(str(entry.image.relative_to(run.data)) for entry in training)
    return {
        "stage": stage.name,
        "stage settings": asdict(stage),  # type: ignore[call-overload]
        "model": model.config.to_json(),
        "number of epochs": run.epochs,
        "batch size": run.batch * team.count,
        "seed": run.seed,
        "fall of the rate": run.fall,
        "precision": precision.name,
        "list of training images": hashlib.sha256(images.encode()).hexdigest(),
    }


def _card(run: StageRun, stage: Stage, training: Iterable[Entry]) -> Card:
    about = {
        "stage": stage.name,
        "settings": asdict(stage),  # type: ignore[call-overload]
        "data": {entry.dataset: entry.licence for entry in training},
        "split": "train",
        "batch": run.batch,
        "fall": run.fall,
        "seed": run.seed,
    }
    return Card({**run.card.training, **about}, {}, run.card.licence)


def _check_finite(losses: Mapping[str, float], step: int) -> None:
    wrong = [name for name, loss in losses.items() if not math.isfinite(loss)]
    if wrong:
        raise TrainingError(
            f"the loss is not finite in step {step} ({', '.join(wrong)}): "
            "the data or the starting weights are damaged, or the learning rate is too high"
        )


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
