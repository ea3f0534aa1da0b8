"""What the model should have said about a batch of labelled crops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.cellsam.boxes import centres
from worker.cellsam.training.crops import boxes_of_labels

CENTRE_SPREAD = 0.14  # of a cell's side: the heatmap's standard deviation
MIN_SPREAD_PX = 3.2
NEAR_CENTRE = 0.97  # highest heat of a token that is not a cell's centre
CORE = 0.25  # of a cell's side from its centre: tokens that must propose its box
MIN_CORE_PX = 5.0


@dataclass(frozen=True, slots=True)
class TrueBoxes:
    """The cells of crops cut at `origin` (row, column of tokens) out of the model's full input of side `input_px`."""

    boxes_xyxy: list[Tensor]  # (n, 4) float32 for each crop, in pixels of the crop
    side_px: int  # of a crop
    origin: tuple[int, int]
    patch_px: int
    input_px: int

    @property
    def offset(self) -> Tensor:
        """(4,) what turns crop pixels into pixels of the full input: x, y, x, y."""
        row, column = self.origin
        device = self.boxes_xyxy[0].device
        return torch.tensor([column, row, column, row], device=device, dtype=torch.float32) * self.patch_px

    @property
    def boxes_cxcywh_unit(self) -> list[Tensor]:
        """Per crop (n, 4) as fractions of the full input, the detector's frame."""
        return [centres(boxes + self.offset) / self.input_px for boxes in self.boxes_xyxy]


@dataclass(frozen=True, slots=True)
class Batch(TrueBoxes):
    """The crops themselves, and the cells in them; boxes are those of labels 1..n."""

    pixels: Tensor  # (B, 3, S, S) float32
    labels: Tensor  # (B, S, S) int32, 1..n in each crop

    @classmethod
    def of(
        cls,
        pixels: NDArray[np.float32],
        labels: NDArray[np.int32],
        *,
        origin: tuple[int, int],
        patch_px: int,
        input_px: int,
        device: torch.device,
    ) -> Batch:
        return cls(
            boxes_xyxy=[torch.from_numpy(boxes_of_labels(crop)).to(device) for crop in labels],
            side_px=pixels.shape[-1],
            origin=origin,
            patch_px=patch_px,
            input_px=input_px,
            pixels=torch.from_numpy(pixels).to(device),
            labels=torch.from_numpy(labels).to(device),
        )


@dataclass(frozen=True, slots=True)
class DenseTargets:
    """Per token, row-major: heat in [0, 1] (1 at a centre), the box to propose, and whether it must propose one."""

    heat: Tensor  # (B, T)
    boxes_cxcywh_unit: Tensor  # (B, T, 4)
    proposes: Tensor  # (B, T) bool

    @classmethod
    def of(cls, batch: TrueBoxes) -> DenseTargets:
        """CenterNet's heatmap (Zhou et al. 2019) and one-to-many boxes on the tokens near each centre."""
        grid = batch.side_px // batch.patch_px
        rows = [_dense_targets(boxes, grid, batch.patch_px) for boxes in batch.boxes_xyxy]
        heat, boxes, proposes = (torch.stack(part) for part in zip(*rows, strict=True))
        return cls(heat, centres(boxes + batch.offset) / batch.input_px, proposes)


def _dense_targets(boxes_xyxy: Tensor, grid: int, patch_px: int) -> tuple[Tensor, Tensor, Tensor]:
    """(T,) heat, (T, 4) nearest cell's box x0, y0, x1, y1 in crop pixels, (T,) bool near its centre."""
    device = boxes_xyxy.device
    if len(boxes_xyxy) == 0:
        tokens = grid * grid
        blank = torch.zeros(tokens, device=device)
        return blank, torch.zeros(tokens, 4, device=device), blank.bool()
    centre_size = centres(boxes_xyxy)
    sides = centre_size[:, 2:]
    ticks = (torch.arange(grid, device=device) + 0.5) * patch_px
    dx, dy = (ticks[None] - centre_size[:, axis, None] for axis in (0, 1))  # (n, grid) each
    spread = (sides * CENTRE_SPREAD).clamp(min=MIN_SPREAD_PX)
    bumps_x, bumps_y = (torch.exp(-((d / spread[:, axis, None]) ** 2) / 2) for axis, d in ((0, dx), (1, dy)))
    heat = (bumps_y[:, :, None] * bumps_x[:, None, :]).amax(dim=0).clamp(max=NEAR_CENTRE)
    column, row = ((centre_size[:, axis] / patch_px).long().clamp(0, grid - 1) for axis in (0, 1))
    heat[row, column] = 1.0
    core = (sides * CORE).clamp(min=MIN_CORE_PX)
    inside = (dy.abs() < core[:, 1, None])[:, :, None] & (dx.abs() < core[:, 0, None])[:, None, :]
    distance = (dy**2)[:, :, None] + (dx**2)[:, None, :]
    nearest = distance.masked_fill(~inside, torch.inf).flatten(1).min(dim=0)
    return heat.flatten(), boxes_xyxy[nearest.indices], nearest.values.isfinite()
