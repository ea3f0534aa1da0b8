"""All that a training run needs to go on after it was stopped, in one safetensors file."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from worker.cellsam.checkpoint import CheckpointError, load_state
from worker.cellsam.training.objective import JointObjective

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
        tensors: dict[str, Tensor] = {}
        tensors |= {f"objective.{name}": tensor for name, tensor in self.objective.state_dict().items()}
        tensors |= {f"average.{name}": tensor for name, tensor in self.average.state_dict().items()}
        for index, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": tensor for name, tensor in slots.items()}
        unfinished = path.with_name(path.name + ".part")
        packed = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
        save_file(packed, unfinished, metadata={"counters": json.dumps(asdict(self.counters))})
        unfinished.replace(path)

    def load(self, path: Path) -> None:
        """Raises CheckpointError if the file belongs to another model."""
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
            counters = (file.metadata() or {}).get("counters")
        if counters is None:
            raise CheckpointError(f"{path.name} is not a training state")
        load_state(self.objective, _part(tensors, "objective."), source=path.name)
        load_state(self.average, _part(tensors, "average."), source=path.name)
        slots: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _part(tensors, "optimizer.").items():
            index, slot = name.split(".")
            slots.setdefault(int(index), {})[slot] = tensor
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": slots})
        self.counters = Counters(**json.loads(counters))


def parameter_groups(module: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Matrices decay; biases, norms and embeddings do not."""
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in module.named_parameters():
        (matrices if parameter.ndim >= 2 and "embed" not in name else rest).append(parameter)
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
