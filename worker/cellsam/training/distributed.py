"""Several processes that train one model: each on its own images, all with the mean of their gradients.

Processes are those that `torchrun` starts and describes in the environment (RANK, WORLD_SIZE, LOCAL_RANK); without
it there is one. NCCL between GPUs, Gloo between CPUs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from worker.cellsam.device import AUTO, choose_device


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among `count`; collective methods must be called by all of them in the same order."""

    rank: int
    count: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this one writes files and logs."""
        return self.rank == 0

    def mean(self, value: float) -> float:
        """Of a number over all processes."""
        return self.sums([value])[0] / self.count

    def sums(self, values: Sequence[float]) -> list[float]:
        """Of each number over all processes; the same list length everywhere."""
        if self.count == 1:
            return list(values)
        shared = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(shared)
        return [float(value) for value in shared]

    def of_first(self, value: float) -> float:
        """The first process's number, for all: with a clock of its own, one would stop while others wait for it."""
        if self.count == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        dist.broadcast(shared, 0)
        return float(shared)

    def average_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Put the mean over processes into each `grad`, zero where no process has one.

        One flat all-reduce: many small ones cost more than the arithmetic. A parameter may lack a gradient in some
        processes (a batch without cells), which DistributedDataParallel would wait for.
        """
        if self.count == 1:
            return
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.count
        parts = torch.split(flat, [p.numel() for p in parameters])
        for parameter, part in zip(parameters, parts, strict=True):
            parameter.grad = part.view_as(parameter)

    def means(self, values: Mapping[str, Tensor]) -> dict[str, float]:
        """Of scalars by name over all processes; the same names everywhere."""
        summed = self.sums([float(value.detach()) for value in values.values()])
        return {name: value / self.count for name, value in zip(values, summed, strict=True)}


@contextmanager
def processes(device: str = AUTO) -> Iterator[Processes]:
    """Join the other processes of this run, if there are any, and leave them at the end.

    `device` as in `choose_device`; of several GPUs each process takes the one of its number. Raises DeviceError.
    """
    rank, count = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    own = _own_device(device, int(os.environ.get("LOCAL_RANK", "0")))
    if count == 1:
        yield Processes(rank, count, own)
        return
    dist.init_process_group("nccl" if own.type == "cuda" else "gloo")
    try:
        yield Processes(rank, count, own)
        dist.barrier()  # none takes its end of a connection away while another still uses it
    finally:
        dist.destroy_process_group()


def is_first() -> bool:
    """Whether this process is the one that speaks for all; known before they meet."""
    return os.environ.get("RANK", "0") == "0"


def _own_device(wanted: str, local_rank: int) -> torch.device:
    device = torch.device(choose_device(wanted))
    if device.type != "cuda":
        return device
    own = device if device.index is not None else torch.device("cuda", local_rank)
    torch.cuda.set_device(own)
    return own
