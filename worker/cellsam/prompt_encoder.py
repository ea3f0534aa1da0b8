"""Prompts for the mask decoder: SAM's prompt encoder, with the box drawn as a mask prompt where the model wants it."""

from __future__ import annotations

import torch
from torch import Tensor

from worker.cellsam.constants import Constants
from worker.cellsam.sam_modules import PromptEncoder


class BoxPromptEncoder(PromptEncoder):  # type: ignore[misc]
    """Boxes and points in model-input pixels -> sparse (N, tokens, dim) and dense embeddings: (N, dim, h, w) where
    boxes are drawn, else (1, dim, 1, 1), the same for all prompts and everywhere.
    """

    def __init__(
        self, *, dim: int, grid: int, input_px: int, mask_in_channels: int, box_raster: bool
    ) -> None:
        super().__init__(
            embed_dim=dim,
            image_embedding_size=(grid, grid),
            input_image_size=(input_px, input_px),
            mask_in_chans=mask_in_channels,
        )
        self.box_raster = box_raster
        self._full_positions: Constants[Tensor] = Constants()

    def scale_frequencies(self, factor: float) -> None:
        """Widen every second random Fourier frequency; once, when a model is built from scratch."""
        self.pe_layer.positional_encoding_gaussian_matrix[:, ::2] *= factor

    def encode(
        self,
        *,
        boxes_xyxy: Tensor | None,
        points: tuple[Tensor, Tensor] | None = None,
        origin: tuple[int, int] = (0, 0),
        size: tuple[int, int] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """`boxes_xyxy` (N, 4); `points` = (N, P, 2) coordinates x, y and (N, P) labels (1 cell, 0 background).

        `origin` and `size` (tokens) name the window of the full input that the image embedding covers. All prompts of
        one call have the same number of points: SAM pads, and its padding points change the masks.
        """
        sparse, _ = self(points=points, boxes=boxes_xyxy, masks=None)
        height, width = size or self.image_embedding_size
        if self.box_raster and boxes_xyxy is not None:
            dense = self.mask_downscaling(self._raster(boxes_xyxy, origin, (height, width)))
        else:
            dense = self.no_mask_embed.weight.reshape(1, -1, 1, 1)
        return sparse, dense

    def positions(self, origin: tuple[int, int] = (0, 0), size: tuple[int, int] | None = None) -> Tensor:
        """(1, dim, h, w) positional encoding of the window's tokens."""
        height, width = size or self.image_embedding_size
        full = self._full_positions.get(
            [self.pe_layer.positional_encoding_gaussian_matrix], self.get_dense_pe
        )
        return full[:, :, origin[0] : origin[0] + height, origin[1] : origin[1] + width]

    def _raster(self, boxes_xyxy: Tensor, origin: tuple[int, int], size: tuple[int, int]) -> Tensor:
        """(N, 1, 4h, 4w) in [-1, 1]: 1 inside the box, -1 outside, the box's edge cut with sub-pixel accuracy."""
        patch = self.input_image_size[0] / self.image_embedding_size[0]
        step = patch / 4  # SAM's mask prompts have four pixels a token
        boxes = boxes_xyxy.float()

        def covered(axis: int, first: int, count: int) -> Tensor:
            centres = (torch.arange(4 * count, device=boxes.device) + 0.5) * step + first * patch
            inside = torch.minimum(centres - boxes[:, axis, None], boxes[:, axis + 2, None] - centres)
            share: Tensor = (inside / step + 0.5).clamp(0, 1)
            return share  # (N, 4 * count)

        across = covered(0, origin[1], size[1])
        down = covered(1, origin[0], size[0])
        inside: Tensor = down[:, None, :, None] * across[:, None, None, :]
        return inside * 2 - 1
