"""What every CellFinder promises: trunk features in, a score and a box for each query out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Queries:
    """One decoder layer's answer. Boxes are cx, cy, w, h as fractions of the full model input."""

    logits: Tensor  # (B, Q, classes)
    boxes_cxcywh_unit: Tensor  # (B, Q, 4) float32


@dataclass(frozen=True, slots=True)
class DenseProposals:
    """A box per token, before any query is chosen; supervised in training only."""

    logits: Tensor  # (B, h * w)
    boxes_cxcywh_unit: Tensor  # (B, h * w, 4)


@dataclass(frozen=True, slots=True)
class FinderOutput:
    layers: tuple[Queries, ...]  # one for each decoder layer, the last is the result
    dense: DenseProposals | None = None

    @property
    def scores(self) -> Tensor:
        """(B, Q) in [0, 1]: the best class of the last layer. No class of a CellFinder means anything but "cell"."""
        return self.layers[-1].logits.float().sigmoid().amax(dim=-1)

    @property
    def boxes_cxcywh_unit(self) -> Tensor:
        """(B, Q, 4) of the last layer."""
        return self.layers[-1].boxes_cxcywh_unit


class CellFinder(Protocol):
    """Implemented by `AnchorFinder` (as published) and `PeakFinder` (tiny)."""

    def __call__(self, features: Tensor, origin: tuple[int, int] = (0, 0)) -> FinderOutput:
        """`features` (B, C, h, w) before the neck; `origin` as in `Trunk.forward`."""


def start_at_zero(head: nn.Module) -> nn.Linear:
    """The last linear layer of a head, made to answer 0 at first; its bias may then be set."""
    *_, last = (module for module in head.modules() if isinstance(module, nn.Linear))
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return last


def mlp(widths: tuple[int, ...], activation: type[nn.Module]) -> nn.Sequential:
    """Linear layers through `widths`, with an activation between them and none after the last."""
    layers: list[nn.Module] = []
    for index, (inside, outside) in enumerate(pairwise(widths)):
        layers += [activation()] if index else []
        layers.append(nn.Linear(inside, outside))
    return nn.Sequential(*layers)
