"""Embed once, prompt many: images to features, features to boxes and masks. Holds a model and no image."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labeling.rle import BoxMask
from worker.cellsam.boxes import corners
from worker.cellsam.channels import model_channels, preprocessing_name
from worker.cellsam.checkpoint import load_state, state_hash
from worker.cellsam.cleanup import best_pixels, clean
from worker.cellsam.config import Thresholds
from worker.cellsam.features import TRUNK_MAP, Features, FeaturesError
from worker.cellsam.model import CellSAM
from worker.cellsam.preprocess import Boxes, Frame, Window
from worker.cellsam.prompts import Points, PromptError, Prompts
from worker.cellsam.stitching import MIN_CELL_PX, Candidate, Segmentation, assemble

__all__ = ["Embeddings", "Predictor", "PromptError", "Stopped", "TrunkCounter"]

T = TypeVar("T")
Progress = Callable[[float], None]
ShouldStop = Callable[[], bool]

TRUNK_BATCH = 4  # tiles; larger batches are no faster on a CPU
PROMPT_BATCH = 16
# How far beyond its box a mask may reach: a share of the box's side, and image pixels.
MARGIN, MARGIN_PX = 0.25, 3
EMBED_SHARE = 0.5  # of a segmentation's time, for its progress


class Stopped(Exception):
    """`should_stop` said so."""


def _ignore(_: float) -> None:
    pass


def _never() -> bool:
    return False


@dataclass
class TrunkCounter:
    """How many times the trunk ran. Predictors made by `with_neck` share it: they share the trunk."""

    calls: int = 0


@dataclass(frozen=True)
class Embeddings:
    """The neck's output for an image, computed tile by tile as prompts ask for it. Valid for one neck."""

    features: Features
    neck_hash: str
    tiles: dict[int, Tensor] = field(default_factory=dict)  # tile -> (1, C, h, w) float32


class Predictor:
    """Stateless apart from its model: any number of threads and images may use one.

    `thresholds` replace those of the model's configuration.
    """

    def __init__(
        self, model: CellSAM, *, thresholds: Thresholds | None = None, counter: TrunkCounter | None = None
    ) -> None:
        self.model = model.eval()
        self.thresholds = thresholds or model.config.thresholds
        self._counter = counter or TrunkCounter()

    @property
    def trunk_calls(self) -> int:
        """Forward passes of the trunk so far, by this predictor and those that share its trunk."""
        return self._counter.calls

    @cached_property
    def trunk_hash(self) -> str:
        return state_hash(self.model.trunk.state_dict())

    @cached_property
    def neck_hash(self) -> str:
        return state_hash(self.model.neck.state_dict())

    @property
    def preprocessing(self) -> str:
        return preprocessing_name(colour=self.model.config.colour)

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def with_neck(self, state_dict: Mapping[str, Tensor], *, threshold: float | None = None) -> Predictor:
        """Another predictor with this neck and, if given, box threshold; all other weights are shared, not copied.

        Raises CheckpointError if the neck is of another shape.
        """
        neck = copy.deepcopy(self.model.neck)
        load_state(neck, state_dict, source="the neck")
        model = copy.copy(self.model)
        model._modules = {**self.model._modules, "neck": neck}
        thresholds = self.thresholds if threshold is None else replace(self.thresholds, box=threshold)
        other = Predictor(model, thresholds=thresholds, counter=self._counter)
        other.__dict__["trunk_hash"] = self.trunk_hash
        return other

    # Images to features

    @torch.no_grad()
    def embed(
        self,
        image: NDArray[Any],
        roles: Sequence[str] | None = None,
        *,
        progress: Progress = _ignore,
        should_stop: ShouldStop = _never,
    ) -> Features:
        """Run the trunk over all tiles of an (H, W) or (H, W, C) image; `roles` as in `channels.model_channels`.

        Raises ImageError for an unusable image, Stopped if asked to stop between batches.
        """
        pixels = model_channels(image, roles, colour=self.model.config.colour)
        frame = Frame(pixels.shape[1], pixels.shape[2], self.model.config.tiling)
        maps: list[Tensor] = []
        for batch in _batches(frame.inputs(pixels), TRUNK_BATCH):
            if should_stop():
                raise Stopped
            maps.append(self._trunk(torch.stack(batch)))
            progress(min(1.0, sum(map(len, maps)) / len(frame.tiles)))
        return Features({TRUNK_MAP: torch.cat(maps)}, frame, self.trunk_hash, self.preprocessing)

    def _trunk(self, inputs: Tensor) -> Tensor:
        self._counter.calls += 1
        tokens: Tensor = self.model.trunk(inputs.to(self.device))
        return tokens.to("cpu", torch.float16)

    # Features to boxes

    @torch.no_grad()
    def detect(
        self, features: Features, *, threshold: float | None = None
    ) -> tuple[Boxes, NDArray[np.float32]]:
        """CellFinder's boxes (n, 4) in image pixels and scores (n,) above the box threshold, best first.

        Each cell is reported by the tile in whose middle it lies; cells that several tiles cut are left as they are.
        """
        floor = self.thresholds.box if threshold is None else threshold
        found = [self._find(features, index, floor) for index in features.frame.finest]
        owned = [(boxes[keep], scores[keep]) for boxes, scores, keep, _ in found]
        boxes = np.concatenate([boxes for boxes, _ in owned])
        scores = np.concatenate([scores for _, scores in owned])
        order = np.argsort(-scores, kind="stable")
        return boxes[order], scores[order]

    def _find(
        self, features: Features, index: int, floor: float
    ) -> tuple[Boxes, NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
        """One tile's boxes in image pixels, best first; their scores; which are its own; which it cuts."""
        self._check(features)
        frame, tile = features.frame, features.frame.tiles[index]
        output = self.model.find(self._tokens(features, index))
        scores = output.scores[0].cpu().numpy()
        kept = np.flatnonzero(scores > floor)
        kept = kept[np.argsort(-scores[kept], kind="stable")]
        unit = corners(output.boxes_cxcywh_unit[0]).clamp(0, 1).float().cpu().numpy()[kept]
        boxes = frame.to_image(unit * self.model.config.trunk.input_px, tile)
        owned, cut = frame.owned(boxes, index), frame.cut(boxes, index)
        boxes = frame.clip(boxes)
        return boxes, scores[kept].astype(np.float32), owned, cut

    # Features and prompts to masks

    def embed_neck(self, features: Features) -> Embeddings:
        """What `decode` can be given instead of features to keep the neck's output between calls."""
        self._check(features)
        return Embeddings(features, self.neck_hash)

    @torch.no_grad()
    def decode(
        self,
        features: Features | Embeddings,
        *,
        boxes: Boxes | Sequence[Sequence[float]] | None = None,
        points: Points | None = None,
    ) -> tuple[list[BoxMask], NDArray[np.float32]]:
        """A mask in image pixels and the decoder's score (its IoU estimate) for each prompt, in the prompts' order.

        `boxes` (N, 4) x0, y0, x1, y1 and/or `points` = (N, P, 2) x, y and (N, P) labels (1 cell, 0 background),
        in image pixels. A prompt always gets a mask, however low its score: where no pixel passes the threshold,
        the best ones inside the box. Boxes are cut at the image's border.

        Raises PromptError if prompts are malformed or lie outside the image, FeaturesError if the features are of
        another trunk.
        """
        embeddings = features if isinstance(features, Embeddings) else self.embed_neck(features)
        if embeddings.neck_hash != self.neck_hash:
            raise FeaturesError("these embeddings were made by another neck")
        frame = embeddings.features.frame
        prompts = Prompts.of(boxes, points, frame, self.model.config.mask.box_raster)
        masks: dict[int, BoxMask] = {}
        scores = np.zeros(len(prompts.boxes), dtype=np.float32)
        for index, members in prompts.by_tile(frame).items():
            for chunk in _batches(iter(members), PROMPT_BATCH):
                rows = np.array(chunk)
                logits, ious = self._logits(embeddings, index, prompts.of_rows(rows))
                for row, row_logits, iou in zip(chunk, logits, ious, strict=True):
                    masks[row] = self._person_mask(
                        row_logits, prompts.boxes[row], index, frame, prompts.loose
                    )
                    scores[row] = iou
        return [masks[row] for row in range(len(masks))], scores

    def _person_mask(
        self, logits: NDArray[np.float32], box: NDArray[np.float32], index: int, frame: Frame, loose: bool
    ) -> BoxMask:
        tile = frame.tiles[index]
        window = frame.tile_window(tile) if loose else _around(box, frame.tile_window(tile))
        values = frame.map_to_window(logits, tile, window)
        if not np.isfinite(values).all():
            raise FeaturesError("the model's answer is not finite: features or weights are damaged")
        mask = clean(values > self.thresholds.mask_logit)
        if not mask.any():
            mask = best_pixels(values, _inside(box, window))
        found = BoxMask.from_mask(mask, x=window[0], y=window[1])
        if found is None:
            raise PromptError("a box covers no pixel of the image")
        return found

    def _logits(
        self, embeddings: Embeddings, index: int, prompts: Prompts
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(N, 4h, 4w) mask logits over tile `index` and (N,) predicted IoU."""
        features = embeddings.features
        tile = features.frame.tiles[index]
        if index not in embeddings.tiles:
            embeddings.tiles[index] = self.model.neck(self._tokens(features, index))
        boxes = points = None
        if not prompts.loose:
            boxes = torch.from_numpy(features.frame.to_input(prompts.boxes, tile)).to(self.device)
        if prompts.points is not None:
            places = features.frame.to_input(prompts.points[0].reshape(-1, 2), tile).reshape(
                prompts.points[0].shape
            )
            points = (
                torch.from_numpy(places).to(self.device),
                torch.from_numpy(prompts.points[1]).to(self.device),
            )
        logits, iou = self.model.decode(embeddings.tiles[index], boxes_xyxy=boxes, points=points)
        return logits.float().cpu().numpy(), iou.float().cpu().numpy()

    # Everything at once

    @torch.no_grad()
    def segment(
        self,
        image: NDArray[Any],
        roles: Sequence[str] | None = None,
        *,
        progress: Progress = _ignore,
        should_stop: ShouldStop = _never,
    ) -> Segmentation:
        """`embed`, then `segment_features`."""
        features = self.embed(
            image, roles, progress=lambda done: progress(done * EMBED_SHARE), should_stop=should_stop
        )
        rest = 1 - EMBED_SHARE
        return self.segment_features(
            features, progress=lambda done: progress(EMBED_SHARE + done * rest), should_stop=should_stop
        )

    @torch.no_grad()
    def segment_features(
        self, features: Features, *, progress: Progress = _ignore, should_stop: ShouldStop = _never
    ) -> Segmentation:
        """All cells of an image from its cached features; no trunk call. Raises as `embed` does."""
        candidates = self.candidates(features, progress=progress, should_stop=should_stop)
        return assemble(candidates, features.frame.height, features.frame.width)

    @torch.no_grad()
    def candidates(
        self,
        features: Features,
        *,
        floor: float | None = None,
        progress: Progress = _ignore,
        should_stop: ShouldStop = _never,
    ) -> list[Candidate]:
        """Every detection above `floor` (default: the box threshold) with its mask, before tiles are stitched.

        Calibration decodes once with a low floor and assembles the cells above each threshold that it tries.
        """
        embeddings, frame = Embeddings(features, self.neck_hash), features.frame
        candidates: list[Candidate] = []
        for index in frame.finest:
            if should_stop():
                raise Stopped
            candidates += self._tile_candidates(
                embeddings, index, self.thresholds.box if floor is None else floor
            )
            embeddings.tiles.clear()  # a large image's neck output need not be in memory at once
            progress((index + 1) / len(frame.finest))
        return candidates

    def _tile_candidates(self, embeddings: Embeddings, index: int, floor: float) -> Iterator[Candidate]:
        features = embeddings.features
        boxes, scores, owned, cut = self._find(features, index, floor)
        # A cell smaller than half the overlap is whole in the tile that owns it; only larger fragments are of use.
        sides = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0)
        rows = np.flatnonzero(owned | (cut & (sides > self.model.config.tiling.overlap_px / 2)))
        for chunk in _batches(iter(rows), PROMPT_BATCH):
            members = np.array(chunk)
            logits, ious = self._logits(embeddings, index, Prompts(boxes[members]))
            for row, row_logits, iou in zip(chunk, logits, ious, strict=True):
                if iou < self.thresholds.iou:
                    continue
                window, mask, values = self._cell(row_logits, boxes[row], index, features.frame)
                if np.count_nonzero(mask) < MIN_CELL_PX:
                    continue
                yield Candidate(
                    box_xyxy_px=boxes[row],
                    score=float(scores[row]),
                    iou=float(iou),
                    tile=index,
                    tile_window=features.frame.tile_window(features.frame.tiles[index]),
                    cut=bool(cut[row]),
                    window=window,
                    mask=mask,
                    logits=values,
                )

    def _cell(
        self, logits: NDArray[np.float32], box: NDArray[np.float32], index: int, frame: Frame
    ) -> tuple[Window, NDArray[np.bool_], NDArray[np.float32]]:
        tile = frame.tiles[index]
        window = _around(box, frame.tile_window(tile))
        values = frame.map_to_window(logits, tile, window)
        return window, clean(values > self.thresholds.mask_logit), values

    def _tokens(self, features: Features, index: int) -> Tensor:
        return features.tokens[index : index + 1].to(self.device, torch.float32)

    def _check(self, features: Features) -> None:
        if features.trunk_hash != self.trunk_hash or features.preprocessing != self.preprocessing:
            raise FeaturesError(
                "these features were made by another trunk or another preprocessing; embed the image again"
            )


def _around(box: NDArray[np.float32], limit: Window) -> Window:
    """The whole pixels of a box and its margin, inside `limit`; never empty if the box touches `limit`."""
    margin = MARGIN_PX + MARGIN * float(max(box[2] - box[0], box[3] - box[1]))
    x0, y0 = max(limit[0], int(np.floor(box[0] - margin))), max(limit[1], int(np.floor(box[1] - margin)))
    x1, y1 = min(limit[2], int(np.ceil(box[2] + margin))), min(limit[3], int(np.ceil(box[3] + margin)))
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)


def _inside(box: NDArray[np.float32], window: Window) -> NDArray[np.bool_]:
    """(h, w) pixels of the window that the box touches; at least one."""
    x = np.arange(window[0], window[2])
    y = np.arange(window[1], window[3])
    columns = (x + 1 > box[0]) & (x < box[2])
    rows = (y + 1 > box[1]) & (y < box[3])
    return np.asarray(rows[:, None] & columns[None])


def _batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
