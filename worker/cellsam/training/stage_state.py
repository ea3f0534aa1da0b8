"""All that a stage needs to go on after it was stopped."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from worker.cellsam.checkpoint import CheckpointError, load_state
from worker.cellsam.model import CellSAM
from worker.cellsam.training.state_file import (
    optimizer_tensors,
    part,
    read_state,
    restore_optimizer,
    with_prefix,
    write_state,
)

Settings = dict[str, Any]  # plain JSON: whatever decides a run's result


@dataclass(slots=True)
class Progress:
    """How far a run is. No random state: every draw depends on seed, epoch, step and image alone."""

    epoch: int = 0  # epochs that are done
    step_of_epoch: int = 0
    step: int = 0
    seconds: float = 0.0  # over all pieces of the run
    sums: dict[str, float] = field(default_factory=dict)  # of each loss over this epoch's steps
    best: dict[str, float] = field(default_factory=dict)  # figures of the best validation so far


@dataclass(slots=True)
class StageState:
    """Model, optimiser, gradient scaler and progress of a run with these settings."""

    model: CellSAM
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    settings: Settings
    progress: Progress = field(default_factory=Progress)

    def save(self, path: Path) -> None:
        tensors = with_prefix(self.model.state_dict(), "model.")
        tensors |= with_prefix(optimizer_tensors(self.optimizer), "optimizer.")
        scaler = self.scaler.state_dict()
        write_state(
            path, tensors, {"settings": self.settings, "progress": asdict(self.progress), "scaler": scaler}
        )

    def load(self, path: Path) -> None:
        """Raises CheckpointError if the file is no stage's state, or that of a run with other settings."""
        tensors, about = read_state(path, ("settings", "progress", "scaler"))
        self._check(about["settings"], path)
        load_state(self.model, part(tensors, "model."), source=path.name)
        restore_optimizer(self.optimizer, part(tensors, "optimizer."))
        self.scaler.load_state_dict(about["scaler"])
        self.progress = Progress(**about["progress"])

    def _check(self, settings: Settings, path: Path) -> None:
        ours: Settings = json.loads(json.dumps(self.settings))
        differing = [name for name in ours if ours[name] != settings.get(name)]
        if differing:
            raise CheckpointError(
                f"{path} is of a run with another {', '.join(differing)}: "
                "repeat that run's arguments to go on with it, or name another folder"
            )
