"""One batch through every part of the model at once, to a dict of losses."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from worker.cellsam.model import CellSAM
from worker.cellsam.training.auxiliary import AuxiliaryHead
from worker.cellsam.training.criterion import DetectionCriterion, Losses, MaskCriterion
from worker.cellsam.training.targets import Batch

PROMPTS_PER_CROP = 5
# A person's box is not tight: true boxes are jittered by this share of their side plus half a pixel.
JITTER, MAX_JITTER, JITTER_PX = 0.07, 0.2, 0.5


@dataclass(frozen=True, slots=True)
class Prompts:
    """Chosen cells of a batch: their crop, their label and the box a person might have drawn."""

    crop: Tensor  # (N,) int64
    label: Tensor  # (N,) int64, as in the batch's labels
    boxes_xyxy: Tensor  # (N, 4) float32 in crop pixels


class JointObjective(nn.Module):
    """Everything is trained together: detection, masks, and what every pixel can teach the trunk."""

    def __init__(self, model: CellSAM) -> None:
        super().__init__()
        self.model = model
        self.auxiliary = AuxiliaryHead(model.config.trunk.dim)
        self.detection = DetectionCriterion()
        self.masks = MaskCriterion()

    def forward(self, batch: Batch) -> Losses:
        with torch.autocast(batch.pixels.device.type, dtype=torch.bfloat16):
            features = self.model.trunk(batch.pixels, batch.origin)
            found = self.model.find(features, batch.origin)
            losses = self.auxiliary.losses(features, batch.labels)
            prompts = choose_prompts(batch.boxes_xyxy, limit=PROMPTS_PER_CROP, size=batch.pixels.shape[-1])
            decoded = None
            if len(prompts.label):
                embeddings = self.model.neck(features)[prompts.crop]
                decoded = self.model.decode(
                    embeddings, boxes_xyxy=prompts.boxes_xyxy + batch.offset, origin=batch.origin
                )
        losses |= self.detection(found, batch)
        if decoded is not None:
            losses |= self._mask_losses(decoded, prompts, batch)
        return losses

    def _mask_losses(self, decoded: tuple[Tensor, Tensor], prompts: Prompts, batch: Batch) -> Losses:
        logits, predicted_iou = decoded
        step = batch.pixels.shape[-1] // logits.shape[-1]
        truth = (batch.labels[prompts.crop] == prompts.label[:, None, None]).float()  # (N, S, S)
        truth = F.avg_pool2d(truth[:, None], step)[:, 0]
        return self.masks(logits, predicted_iou, truth, prompts.boxes_xyxy, float(step))


def choose_prompts(boxes_xyxy: list[Tensor], *, limit: int, size: int) -> Prompts:
    """At most `limit` random cells of each crop of `size` pixels, their boxes jittered and cut at the crop's border."""
    crops, labels, boxes = [], [], []
    for index, of_crop in enumerate(boxes_xyxy):
        chosen = torch.randperm(len(of_crop), device=of_crop.device)[:limit]
        crops.append(torch.full_like(chosen, index))
        labels.append(chosen + 1)
        boxes.append(jitter(of_crop[chosen]).clamp(0, size))
    return Prompts(torch.cat(crops), torch.cat(labels), torch.cat(boxes))


def jitter(boxes_xyxy: Tensor) -> Tensor:
    """(N, 4) true boxes -> boxes as a person draws them."""
    sides = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).repeat(1, 2)
    relative = (torch.randn_like(boxes_xyxy) * JITTER).clamp(-MAX_JITTER, MAX_JITTER)
    return boxes_xyxy + relative * sides + torch.randn_like(boxes_xyxy) * JITTER_PX
