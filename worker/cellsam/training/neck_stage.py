"""Stage 2 of the paper: the neck learns to hand the trunk's features to SAM's decoder, prompted with true boxes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from labeling.matching import Counts, count_matches
from worker.cellsam.features import TRUNK_MAP, Features
from worker.cellsam.model import CellSAM
from worker.cellsam.predictor import Predictor
from worker.cellsam.preprocess import Frame
from worker.cellsam.training.criterion import Losses, MeanCount, binary_iou, mask_loss
from worker.cellsam.training.precision import Precision
from worker.cellsam.training.targets import Batch
from worker.cellsam.training.validation import Validation


@dataclass(frozen=True, slots=True)
class NeckStage:
    """The paper's settings: AdamW on the neck alone, no clipping.

    `decoder`: SAM's prompt encoder and mask decoder as well, for a model that did not start from SAM's weights; the
    decoder's estimate of its own IoU, by which inference drops masks, then has a loss too (as in SAM).
    """

    rate: float = 1e-4
    weight_decay: float = 1e-4
    prompts: int = 32  # cells of an image in each step, at most: each costs a pass of the decoder
    decoder: bool = False

    @property
    def name(self) -> str:
        return "neck"

    @property
    def clip(self) -> float | None:
        return None

    def prepare(self, model: CellSAM) -> list[dict[str, Any]]:
        model.requires_grad_(False)
        parts: list[tuple[str, nn.Module]] = [("neck", model.neck)]
        if self.decoder:
            parts += [("prompt_encoder", model.prompt_encoder), ("mask_decoder", model.mask_decoder)]
        return [
            {
                "name": name,
                "params": list(part.requires_grad_(True).parameters()),
                "lr": self.rate,
                "weight_decay": self.weight_decay,
            }
            for name, part in parts
        ]

    def losses(self, model: CellSAM, batch: Batch, precision: Precision, mean_count: MeanCount) -> Losses:
        chosen = [torch.randperm(len(boxes))[: self.prompts] for boxes in batch.boxes_xyxy]
        decoded = _decoded(model, batch, chosen, precision)
        cells = max(1.0, mean_count(len(decoded.logits)))
        losses = {"mask": decoded.mask_loss(cells)}
        return losses | ({"iou": decoded.iou_loss(cells)} if self.decoder else {})

    def validate(self, model: CellSAM, batches: Iterable[Batch], precision: Precision) -> Validation:
        """Loss and mask IoU with true boxes, and counts of cells that the whole pipeline found at mask IoU 0.6."""
        predictor = Predictor(model)
        return sum((self._validate(predictor, batch, precision) for batch in batches), Validation())

    def _validate(self, predictor: Predictor, batch: Batch, precision: Precision) -> Validation:
        model = predictor.model
        chosen = [torch.arange(min(len(boxes), self.prompts)) for boxes in batch.boxes_xyxy]
        decoded = _decoded(model, batch, chosen, precision)
        ious = decoded.ious(model.config.thresholds.mask_logit)
        return Validation(
            images=1,
            loss=float(decoded.mask_loss(max(1, len(ious)))),
            counts=_segmented(predictor, batch, decoded.tokens),
            ious=float(ious.sum()),
            prompted=len(ious),
        )


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A batch's trunk features, and what became of its chosen cells, in float32."""

    tokens: Tensor  # (B, C, h, w)
    logits: Tensor  # (N, 4h, 4w)
    predicted_iou: Tensor  # (N,)
    truth: Tensor  # (N, 4h, 4w) share of each of the map's pixels that the cell covers

    def mask_loss(self, cells: float) -> Tensor:
        """Over `cells`, the mean number of them in all processes. Without any it is 0 and has a gradient, of zeros."""
        count = len(self.logits)
        return mask_loss(self.logits, self.truth) * (count / cells) if count else self.logits.sum()

    def iou_loss(self, cells: float) -> Tensor:
        """Squared error of the decoder's estimate."""
        return (self.predicted_iou - self.ious(0.0)).square().sum() / cells

    def ious(self, mask_logit: float) -> Tensor:
        """(N,) of the masks above a logit."""
        return binary_iou(self.logits.detach() > mask_logit, self.truth > 0.5)


def _decoded(model: CellSAM, batch: Batch, chosen: list[Tensor], precision: Precision) -> _Decoded:
    image = torch.cat([torch.full_like(cells, index) for index, cells in enumerate(chosen)])
    boxes = torch.cat([boxes[cells] for boxes, cells in zip(batch.boxes_xyxy, chosen, strict=True)])
    with precision.autocast():
        with torch.no_grad():
            tokens: Tensor = model.trunk(batch.pixels)
        embeddings = model.neck(tokens)[image]
        # SAM's decoder does not take an empty batch; empty slices of its input keep the neck in the graph.
        empty = embeddings[:, 0], embeddings[:, 0, 0, 0]
        logits, predicted_iou = model.decode(embeddings, boxes_xyxy=boxes) if len(image) else empty
    step = batch.pixels.shape[-1] // logits.shape[-1]
    labels = torch.cat(chosen).to(batch.labels.device) + 1
    truth = (batch.labels[image] == labels[:, None, None]).float()  # (N, S, S)
    truth = F.avg_pool2d(truth[:, None], step)[:, 0]
    return _Decoded(tokens, logits.float(), predicted_iou.float(), truth)


def _segmented(predictor: Predictor, batch: Batch, tokens: Tensor) -> Counts:
    tiling = predictor.model.config.tiling
    features = Features(
        {TRUNK_MAP: tokens.to("cpu", torch.float16)},
        Frame(tiling.tile_px, tiling.tile_px, tiling),
        predictor.trunk_hash,
        predictor.preprocessing,
    )
    true = batch.labels[0, :: tiling.scale, :: tiling.scale].cpu().numpy()
    return count_matches(true, predictor.segment_features(features).labels)
