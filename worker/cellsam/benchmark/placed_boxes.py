"""A CellFinder that does its work and then answers with boxes that were decided before.

Random weights find nothing of use. What comes after CellFinder costs by the box, so a benchmark says how many.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from worker.cellsam.benchmark import BenchmarkError
from worker.cellsam.cellfinder import FinderOutput, Queries

CERTAIN, NO_CELL = 4.0, -4.0  # logits
FILLED = 0.8  # of a box's share of the input along each axis


class PlacedBoxes(nn.Module):
    """`count` boxes in rows over the whole input; another count may be set between images."""

    def __init__(self, finder: nn.Module, count: int) -> None:
        super().__init__()
        self.finder = finder
        self.count = count

    def forward(self, features: Tensor, origin: tuple[int, int] = (0, 0)) -> FinderOutput:
        return self.placed(self.finder(features, origin))

    def placed(self, output: FinderOutput) -> FinderOutput:
        """The same answer with its last layer replaced. Raises BenchmarkError if there are fewer queries than boxes."""
        last = output.layers[-1]
        if self.count > last.logits.shape[1]:
            raise BenchmarkError(
                f"{self.count} boxes are more than the model's {last.logits.shape[1]} queries"
            )
        logits = torch.full_like(last.logits, NO_CELL)
        # No two scores are the same, so that all ways of sorting agree.
        logits[:, : self.count, 0] = torch.linspace(CERTAIN, CERTAIN - 1, self.count)
        boxes = last.boxes_cxcywh_unit.clone()
        boxes[:, : self.count] = rows_of_boxes(self.count).to(boxes)
        return FinderOutput((*output.layers[:-1], Queries(logits, boxes)), output.dense)


def rows_of_boxes(count: int) -> Tensor:
    """(count, 4) cx, cy, w, h as shares of the input."""
    side = math.ceil(math.sqrt(count))
    places = torch.arange(count)
    centres = torch.stack([places % side, places // side], dim=1).add(0.5) / side
    return torch.cat([centres, torch.full((count, 2), FILLED / side)], dim=1)
