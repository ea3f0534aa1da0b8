"""All that a training run needs to go on after it was stopped, in one safetensors file."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from worker.cellsam.checkpoint import load_state
from worker.cellsam.training.objective import JointObjective
from worker.cellsam.training.state_file import (
    optimizer_tensors,
    part,
    read_state,
    restore_optimizer,
    with_prefix,
    write_state,
)

MAX_DECAY = 0.997


@dataclass(slots=True)
class Counters:
    step: int = 0
    seconds: float = 0.0  # of training so far, over all runs
    crops: int = 0  # over all processes


class TrainingState:
    """Model, its moving average, optimiser and counters."""

    def __init__(self, objective: JointObjective, *, weight_decay: float, betas: tuple[float, float]) -> None:
        self.objective = objective
        self.average = copy.deepcopy(objective.model).eval().requires_grad_(False)
        self.parameters = [p for p in objective.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(parameter_groups(objective, weight_decay), betas=betas)
        self.counters = Counters()

    def follow(self) -> None:
        """Move the average towards the model; quickly in the first steps, when there is nothing to average yet."""
        step = self.counters.step
        decay = min(MAX_DECAY, (1 + step) / (10 + step))
        with torch.no_grad():
            averaged: list[Tensor] = list(self.average.parameters())
            current: list[Tensor] = list(self.objective.model.parameters())
            torch._foreach_lerp_(averaged, current, 1 - decay)

    def save(self, path: Path) -> None:
        tensors = with_prefix(self.objective.state_dict(), "objective.")
        tensors |= with_prefix(self.average.state_dict(), "average.")
        tensors |= with_prefix(optimizer_tensors(self.optimizer), "optimizer.")
        write_state(path, tensors, {"counters": asdict(self.counters)})

    def load(self, path: Path) -> None:
        """Raises CheckpointError if the file is no training state, or that of another model."""
        tensors, about = read_state(path, ("counters",))
        load_state(self.objective, part(tensors, "objective."), source=path.name)
        load_state(self.average, part(tensors, "average."), source=path.name)
        restore_optimizer(self.optimizer, part(tensors, "optimizer."))
        self.counters = Counters(**about["counters"])


def parameter_groups(module: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Matrices decay; biases, norms and embeddings do not."""
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in module.named_parameters():
        (matrices if parameter.ndim >= 2 and "embed" not in name else rest).append(parameter)
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]
