"""CellSAM: a trunk, read by CellFinder and, through the neck, by SAM's mask decoder.

The model that was released has a second trunk, for CellFinder alone.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

from torch import Tensor, nn

from worker.cellsam.cellfinder import FinderOutput
from worker.cellsam.config import CellSAMConfig
from worker.cellsam.features import FINDER_MAP, TRUNK_MAP
from worker.cellsam.mask_decoder import BatchMaskDecoder
from worker.cellsam.neck import Neck
from worker.cellsam.prompt_encoder import BoxPromptEncoder
from worker.cellsam.trunk import Trunk


class CellSAM(nn.Module):
    """The parts and how they meet. Geometry, thresholds and images are the predictor's business."""

    def __init__(
        self,
        config: CellSAMConfig,
        *,
        trunk: Trunk,
        neck: Neck,
        finder: nn.Module,
        prompt_encoder: BoxPromptEncoder,
        mask_decoder: BatchMaskDecoder,
        finder_trunk: Trunk | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.trunk = trunk
        self.neck = neck
        self.finder = finder
        self.prompt_encoder = prompt_encoder
        self.mask_decoder = mask_decoder
        self.finder_trunk = finder_trunk

    @property
    def trunks(self) -> dict[str, Trunk]:
        """The trunks by the name of the feature map that each makes."""
        trunks = {TRUNK_MAP: self.trunk}
        if self.finder_trunk is not None:
            trunks[FINDER_MAP] = self.finder_trunk
        return trunks

    def with_parts(self, parts: Mapping[str, nn.Module]) -> CellSAM:
        """Another model with these modules, by attribute; all others are shared, not copied."""
        other = copy.copy(self)
        other._modules = {**self._modules, **parts}
        return other

    def find(self, features: Tensor, origin: tuple[int, int] = (0, 0)) -> FinderOutput:
        """Trunk features (B, C, h, w) -> scored boxes."""
        output: FinderOutput = self.finder(features, origin)
        return output

    def decode(
        self,
        embeddings: Tensor,
        *,
        boxes_xyxy: Tensor | None,
        points: tuple[Tensor, Tensor] | None = None,
        origin: tuple[int, int] = (0, 0),
    ) -> tuple[Tensor, Tensor]:
        """One mask per prompt: logits (N, 4h, 4w) and predicted IoU (N,).

        `embeddings` is the neck's output, (N, C, h, w) with a row per prompt or (1, C, h, w) for all. Prompts are in
        model-input pixels, see `BoxPromptEncoder.encode`.
        """
        size = (embeddings.shape[-2], embeddings.shape[-1])
        sparse, dense = self.prompt_encoder.encode(
            boxes_xyxy=boxes_xyxy, points=points, origin=origin, size=size
        )
        positions = self.prompt_encoder.positions(origin, size)
        return self.mask_decoder.decode(embeddings, positions, sparse, dense)
