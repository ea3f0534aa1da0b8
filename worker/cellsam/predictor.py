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
from worker.cellsam.blocks import segmentation_by_blocks
from worker.cellsam.boxes import iou_and_giou
from worker.cellsam.channels import config_channels, preprocessing_name
from worker.cellsam.checkpoint import load_state, state_hash, trunk_hash
from worker.cellsam.config import Thresholds
from worker.cellsam.features import Features, FeaturesError
from worker.cellsam.mask_reading import READ, asked_for
from worker.cellsam.model import CellSAM
from worker.cellsam.preprocess import Boxes, Frame
from worker.cellsam.prompts import Points, PromptError, Prompts
from worker.cellsam.selection import rank
from worker.cellsam.stitching import ASSEMBLE, Candidate, Segmentation
from worker.cellsam.trunk import Trunk
from worker.cellsam.trunk_inputs import PREPARE

__all__ = ["Embeddings", "Predictor", "PromptError", "Stopped", "TrunkCounter"]

T = TypeVar("T")
Progress = Callable[[float], None]
ShouldStop = Callable[[], bool]

TRUNK_BATCH = 4  # tiles; larger batches are no faster on a CPU
PROMPT_BATCH = 16
EMBED_SHARE = 0.5  # of a segmentation's time, for its progress
# Boxes that were left out are of interest down to this share of the box threshold, and where no better box overlaps
# them by this IoU.
DOUBT_SHARE, SAME_BOX = 0.5, 0.5


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


@dataclass(frozen=True, slots=True)
class Found:
    """One tile's boxes in image pixels, best first."""

    boxes: Boxes  # (n, 4) as the mask decoder gets them; the released model's may reach beyond the image
    scores: NDArray[np.float32]  # (n,)
    owned: NDArray[np.bool_]  # (n,) whether the tile reports them
    cut: NDArray[np.bool_]  # (n,) whether it cuts them
    certain: slice  # those above the threshold

    def __getitem__(self, rows: slice) -> Found:
        return Found(self.boxes[rows], self.scores[rows], self.owned[rows], self.cut[rows], rows)


class Predictor:
    """Stateless apart from its model: any number of threads and images may use one.

    `thresholds` replace those of the model's configuration. `precision` (bfloat16 or float16) is that of the products
    in trunks, CellFinder and mask decoder; weights and sums stay in float32, and so does all of the neck, whose
    variances would overflow.
    """

    def __init__(
        self,
        model: CellSAM,
        *,
        thresholds: Thresholds | None = None,
        counter: TrunkCounter | None = None,
        precision: torch.dtype | None = None,
    ) -> None:
        self.model = model.eval()
        self.precision = precision
        self.thresholds = thresholds or model.config.thresholds
        self._counter = counter or TrunkCounter()

    @property
    def trunk_calls(self) -> int:
        """Forward passes of the trunk so far, by this predictor and those that share its trunk."""
        return self._counter.calls

    @cached_property
    def trunk_hash(self) -> str:
        return trunk_hash(self.model)

    @cached_property
    def neck_hash(self) -> str:
        return state_hash(self.model.neck.state_dict())

    @cached_property
    def finder_hash(self) -> str:
        return state_hash(self.model.finder.state_dict())

    @property
    def preprocessing(self) -> str:
        return preprocessing_name(self.model.config)

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def with_neck(self, state_dict: Mapping[str, Tensor], *, threshold: float | None = None) -> Predictor:
        """Another predictor with this neck and, if given, box threshold; all other weights are shared, not copied.

        Raises CheckpointError if the neck is of another shape.
        """
        return self.with_parts({"neck": state_dict}, threshold=threshold)

    def with_parts(
        self, parts: Mapping[str, Mapping[str, Tensor]], *, threshold: float | None = None
    ) -> Predictor:
        """Another predictor with these weights in the model's parts of these names; all others are shared, not copied.

        A part whose weights are given is `neck`, `finder` or `trunk`. Raises CheckpointError as `with_neck`.
        """
        modules = {name: copy.deepcopy(self.model.get_submodule(name)) for name in parts}
        for name, module in modules.items():
            load_state(module, parts[name], source=f"the {name}")
        thresholds = self.thresholds if threshold is None else replace(self.thresholds, box=threshold)
        counter = None if "trunk" in parts else self._counter
        model = self.model.with_parts(modules)
        other = Predictor(model, thresholds=thresholds, counter=counter, precision=self.precision)
        for name in {"trunk", "neck", "finder"} - set(parts):
            other.__dict__[f"{name}_hash"] = getattr(self, f"{name}_hash")
        return other

    # Images to features

    @torch.no_grad()
    def embed(
        self,
        image: NDArray[Any],
        roles: Sequence[str] | None = None,
        *,
        keep: torch.dtype = torch.float16,
        progress: Progress = _ignore,
        should_stop: ShouldStop = _never,
    ) -> Features:
        """Run the trunk over all tiles of an (H, W) or (H, W, C) image; `roles` as in `channels.model_channels`.

        `keep` is the type in which the maps are kept: half precision is what the cache stores.

        Raises ImageError for an unusable image, Stopped if asked to stop between batches.
        """
        config = self.model.config
        pixels = config_channels(image, roles, config)
        frame = Frame(pixels.shape[1], pixels.shape[2], config.tiling)
        prepare = PREPARE[config.strategies.inputs]
        maps: dict[str, list[Tensor]] = {name: [] for name in self.model.trunks}
        done = 0
        for batch in _batches(frame.inputs(pixels), TRUNK_BATCH):
            if should_stop():
                raise Stopped
            tiles = torch.stack(batch)
            for name, trunk in self.model.trunks.items():
                maps[name].append(self._trunk(trunk, prepare[name](tiles)).to("cpu", keep))
            done += len(batch)
            progress(min(1.0, done / len(frame.tiles)))
        joined = {name: torch.cat(parts) for name, parts in maps.items()}
        return Features(joined, frame, self.trunk_hash, self.preprocessing)

    def _trunk(self, trunk: Trunk, inputs: Tensor) -> Tensor:
        self._counter.calls += 1
        with self._products():
            tokens: Tensor = trunk(inputs.to(self.device))
        return tokens

    def _products(self) -> torch.autocast:
        return torch.autocast(self.device.type, self.precision, enabled=self.precision is not None)

    # Features to boxes

    @torch.no_grad()
    def detect(
        self, features: Features, *, threshold: float | None = None
    ) -> tuple[Boxes, NDArray[np.float32]]:
        """CellFinder's boxes (n, 4) in image pixels and scores (n,) above the box threshold, best first.

        Each cell is reported by the tile in whose middle it lies; cells that several tiles cut are left as they are.
        """
        found = [self._find(features, index, threshold) for index in features.frame.finest]
        owned = [(tile.boxes[tile.owned], tile.scores[tile.owned]) for tile in found]
        boxes = np.concatenate([boxes for boxes, _ in owned])
        scores = np.concatenate([scores for _, scores in owned])
        order = np.argsort(-scores, kind="stable")
        return features.frame.clip(boxes[order]), scores[order]

    def _find(
        self, features: Features, index: int, threshold: float | None, *, doubt_share: float = 1.0
    ) -> Found:
        """One tile's boxes down to `doubt_share` of the threshold; None: the model's own."""
        self._check(features)
        config, frame, tile = self.model.config, features.frame, features.frame.tiles[index]
        with self._products():
            output = self.model.find(self._tokens(features.finder_tokens, index))
        ranking = rank(output, config.strategies.selection, self.thresholds.box)
        threshold = ranking.threshold if threshold is None else threshold
        shown = ranking.above(doubt_share * threshold)
        boxes = frame.to_image(ranking.boxes_xyxy_unit[shown] * config.trunk.input_px, tile)
        owned, cut = frame.owned(boxes, index), frame.cut(boxes, index)
        if config.strategies.selection == "fixed":
            boxes = frame.clip(boxes)
        return Found(boxes, ranking.scores[shown], owned, cut, ranking.above(threshold))

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
                    masks[row] = asked_for(
                        row_logits,
                        prompts.boxes[row],
                        frame.tiles[index],
                        frame,
                        self.thresholds.mask_logit,
                        loose=prompts.loose,
                    )
                    scores[row] = iou
        return [masks[row] for row in range(len(masks))], scores

    def _logits(
        self, embeddings: Embeddings, index: int, prompts: Prompts
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(N, 4h, 4w) mask logits over tile `index` and (N,) predicted IoU."""
        features = embeddings.features
        tile = features.frame.tiles[index]
        if index not in embeddings.tiles:
            embeddings.tiles[index] = self.model.neck(self._tokens(features.tokens, index))
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
        with self._products():
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
        """`embed`, then `segment_features`; in blocks if the model's strategies say `compat`."""
        if self.model.config.strategies.compat:
            return segmentation_by_blocks(
                image,
                lambda block: self.segment_features(
                    self.embed(block, roles, should_stop=should_stop), should_stop=should_stop
                ),
                progress=progress,
            )
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
        doubted: list[float] = []
        candidates = self.candidates(features, doubted=doubted, progress=progress, should_stop=should_stop)
        assemble = ASSEMBLE[self.model.config.strategies.overlaps]
        found = assemble(candidates, features.frame.height, features.frame.width)
        return replace(found, doubted=np.array(doubted, dtype=np.float32))

    @torch.no_grad()
    def candidates(
        self,
        features: Features,
        *,
        floor: float | None = None,
        doubted: list[float] | None = None,
        progress: Progress = _ignore,
        should_stop: ShouldStop = _never,
    ) -> list[Candidate]:
        """Every detection above `floor` (default: the box threshold) with its mask, before tiles are stitched.

        `doubted` is filled with the scores of boxes just under it, where no better box lies. Calibration decodes once
        with a low floor and assembles the cells above each threshold that it tries.
        """
        embeddings, frame = Embeddings(features, self.neck_hash), features.frame
        candidates: list[Candidate] = []
        left_out: list[float] = [] if doubted is None else doubted
        for index in frame.finest:
            if should_stop():
                raise Stopped
            candidates += self._tile_candidates(embeddings, index, floor, left_out)
            embeddings.tiles.clear()  # a large image's neck output need not be in memory at once
            progress((index + 1) / len(frame.finest))
        return candidates

    def _tile_candidates(
        self, embeddings: Embeddings, index: int, floor: float | None, doubted: list[float]
    ) -> Iterator[Candidate]:
        features = embeddings.features
        frame, strategies = features.frame, self.model.config.strategies
        all_found = self._find(features, index, floor, doubt_share=DOUBT_SHARE)
        doubtful = slice(all_found.certain.stop, None)
        doubted += all_found.scores[doubtful][
            (all_found.owned & _is_best(all_found.boxes))[doubtful]
        ].tolist()
        found = all_found[all_found.certain]
        # A cell smaller than half the overlap is whole in the tile that owns it; only larger fragments are of use.
        sides = (found.boxes[:, 2:] - found.boxes[:, :2]).max(axis=1, initial=0)
        rows = np.flatnonzero(found.owned | (found.cut & (sides > self.model.config.tiling.overlap_px / 2)))
        for chunk in _batches(iter(rows), PROMPT_BATCH):
            members = np.array(chunk)
            logits, ious = self._logits(embeddings, index, Prompts(found.boxes[members]))
            for row, row_logits, iou in zip(chunk, logits, ious, strict=True):
                if iou < self.thresholds.iou:
                    continue
                read = READ[strategies.masks](
                    row_logits, found.boxes[row], frame.tiles[index], frame, self.thresholds.mask_logit
                )
                if not read.mask.any():
                    continue
                yield Candidate(
                    box_xyxy_px=frame.clip(found.boxes[row]),
                    score=float(found.scores[row]),
                    iou=float(iou),
                    tile=index,
                    tile_window=frame.tile_window(frame.tiles[index]),
                    cut=bool(found.cut[row]),
                    window=read.window,
                    mask=read.mask,
                    logits=read.logits,
                )

    def _tokens(self, tokens: Tensor, index: int) -> Tensor:
        return tokens[index : index + 1].to(self.device, torch.float32)

    def _check(self, features: Features) -> None:
        if features.trunk_hash != self.trunk_hash or features.preprocessing != self.preprocessing:
            raise FeaturesError(
                "these features were made by another trunk or another preprocessing; embed the image again"
            )


def _is_best(boxes: Boxes) -> NDArray[np.bool_]:
    """(n,) whether no earlier one of the boxes, which come best first, lies in the same place."""
    rows = torch.from_numpy(boxes)
    iou, _ = iou_and_giou(rows[:, None], rows[None])
    return np.asarray(~(iou > SAME_BOX).tril(-1).any(dim=1))


def _batches(items: Iterator[T], size: int) -> Iterator[list[T]]:
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
