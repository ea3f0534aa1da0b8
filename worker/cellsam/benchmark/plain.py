"""The released procedure without any care for speed: what our figures are compared with.

SAM's own blocks with all attention scores at once, a pass of each trunk for every image or block, Anchor DETR in full,
one box after the other through SAM's own decoder with its positions computed each time, all masks at the image's size.
Written from the papers, SAM's package and the description of the release; its weights, inputs and decisions are those
of the model that it is given, so its answer is too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from worker.cellsam.anchor_finder import AnchorFinder
from worker.cellsam.benchmark import BenchmarkError
from worker.cellsam.benchmark.marks import (
    ASSEMBLING,
    DECODING,
    FINDER,
    FINDER_TRUNK,
    NECK,
    PREPROCESSING,
    TRUNK,
    Marks,
)
from worker.cellsam.benchmark.placed_boxes import PlacedBoxes
from worker.cellsam.benchmark.plain_finder import plain_find
from worker.cellsam.blocks import DEFAULT, segment_blocks
from worker.cellsam.cellfinder import FinderOutput
from worker.cellsam.cleanup import clean_label_map
from worker.cellsam.config import Thresholds
from worker.cellsam.features import FINDER_MAP, TRUNK_MAP
from worker.cellsam.model import CellSAM
from worker.cellsam.model_input import ModelInput
from worker.cellsam.sam_modules import MaskDecoder
from worker.cellsam.selection import rank
from worker.cellsam.stitching import MIN_PAINTED_PX
from worker.cellsam.trunk import Trunk
from worker.cellsam.trunk_inputs import PREPARE

Labels = NDArray[np.int32]
TRUNK_STAGES = {TRUNK_MAP: TRUNK, FINDER_MAP: FINDER_TRUNK}


class PlainCellSAM:
    """For images that are one tile of the model."""

    def __init__(self, model: CellSAM, thresholds: Thresholds) -> None:
        self.model, self.thresholds = model.eval(), thresholds

    @torch.no_grad()
    def segment(self, image: NDArray[Any], marks: Marks) -> Labels:
        """(H, W) or (H, W, C) -> labels (H, W). Raises BenchmarkError if the image needs more than one tile."""
        model = self.model
        made = ModelInput.of(image, None, model.config)
        frame = made.frame
        if len(frame.tiles) != 1:
            raise BenchmarkError(
                f"the plain port takes one tile at a time; this image needs {len(frame.tiles)}"
            )
        tile = made.tile(0)[None]
        maps = {}
        for name, trunk in model.trunks.items():
            inputs = PREPARE[model.config.strategies.inputs][name](tile).to(self._device)
            marks.mark(PREPROCESSING)
            maps[name] = plain_trunk(trunk, inputs)
            marks.mark(TRUNK_STAGES[name])
        found = plain_answer(model.finder, maps.get(FINDER_MAP, maps[TRUNK_MAP]))
        ranking = rank(found, model.config.strategies.selection, self.thresholds.box)
        boxes = ranking.boxes_xyxy_unit[ranking.above(ranking.threshold)] * model.config.trunk.input_px
        marks.mark(FINDER)
        embedding = model.neck(maps[TRUNK_MAP])
        marks.mark(NECK)
        masks = []
        for box in torch.from_numpy(boxes).to(self._device):
            logits, iou = plain_decode(model, embedding, box[None])
            if float(iou) >= self.thresholds.iou:
                masks.append(self._at_image_size(logits, frame.tile_size, (frame.height, frame.width)))
            marks.mark(DECODING)
        labels = self._assembled(masks, (frame.height, frame.width))
        marks.mark(ASSEMBLING)
        return labels

    def segment_by_default(self, image: NDArray[Any], marks: Marks) -> Labels:
        """The released package's default call: in blocks that wrap around, each as large an input as the whole image.
        Boxes that were placed are spread over the blocks by their area.
        """
        placed = self.model.finder
        whole = placed.count if isinstance(placed, PlacedBoxes) else 0

        def of_block(block: NDArray[Any]) -> Labels:
            if isinstance(placed, PlacedBoxes):
                placed.count = round(whole * block[..., :1].size / image[..., :1].size)
            return self.segment(block, marks)

        labels = segment_blocks(image, of_block, DEFAULT).labels
        marks.mark(ASSEMBLING)
        if isinstance(placed, PlacedBoxes):
            placed.count = whole
        return labels

    @property
    def _device(self) -> torch.device:
        return next(self.model.parameters()).device

    def _at_image_size(self, logits: Tensor, tile_size: tuple[int, int], size: tuple[int, int]) -> Tensor:
        """SAM's two steps: to the input's size, then to that of the pixels which the tile shows."""
        side = self.model.config.trunk.input_px
        at_input = F.interpolate(logits[None, None], (side, side), mode="bilinear", align_corners=False)
        at_tile = F.interpolate(at_input, tile_size[::-1], mode="bilinear", align_corners=False)
        return at_tile[0, 0, : size[0], : size[1]]

    def _assembled(self, masks: list[Tensor], size: tuple[int, int]) -> Labels:
        if not masks:
            return np.zeros(size, dtype=np.int32)
        logits = torch.stack(masks)  # (N, H, W)
        inside = logits > self.thresholds.mask_logit
        if self.model.config.strategies.overlaps == "painter":
            numbers = torch.arange(1, len(masks) + 1, device=logits.device)
            labels = (inside.long() * numbers[:, None, None]).amax(dim=0)
        else:
            best = logits.masked_fill(~inside, -torch.inf).max(dim=0)
            labels = (best.indices + 1) * inside.any(dim=0)
        return clean_label_map(labels.int().cpu().numpy(), MIN_PAINTED_PX)[0]


def plain_trunk(trunk: Trunk, pixels: Tensor) -> Tensor:
    """SAM's blocks as they are."""
    tokens = trunk.patch_embed((pixels - trunk.pixel_mean) / trunk.pixel_std) + trunk.pos_embed
    for block in trunk.blocks:
        tokens = block(tokens)
    return tokens.permute(0, 3, 1, 2)  # type: ignore[no-any-return]


def plain_answer(finder: Any, features: Tensor) -> FinderOutput:
    """CellFinder's, in full if it is Anchor DETR; other kinds have no plain form."""
    if isinstance(finder, PlacedBoxes):
        return finder.placed(plain_answer(finder.finder, features))
    output: FinderOutput = (
        plain_find(finder, features) if isinstance(finder, AnchorFinder) else finder(features)
    )
    return output


def plain_decode(model: CellSAM, embedding: Tensor, box: Tensor) -> tuple[Tensor, Tensor]:
    """One box (1, 4) in input pixels -> logits (4h, 4w) and predicted IoU."""
    sparse, dense = model.prompt_encoder.encode(boxes_xyxy=box)
    logits, iou = MaskDecoder.forward(
        model.mask_decoder,
        image_embeddings=embedding,
        image_pe=model.prompt_encoder.get_dense_pe(),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
        multimask_output=False,
    )
    return logits[0, 0], iou[0, 0]
