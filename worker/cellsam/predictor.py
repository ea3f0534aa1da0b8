"""Embed once, prompt many: images to features, features to boxes and masks. Holds a model and no image."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from labeling.rle import BoxMask
from worker.cellsam.blocks import cells_by_blocks
from worker.cellsam.candidates import Candidate
from worker.cellsam.cell_size import CellSize, cell_size
from worker.cellsam.channels import Image, as_source, preprocessing_name
from worker.cellsam.checkpoint import load_state, state_hash, trunk_hash
from worker.cellsam.config import Thresholds
from worker.cellsam.decoded import decoded_candidate
from worker.cellsam.detections import Found
from worker.cellsam.embeddings import Embeddings, TrunkCounter
from worker.cellsam.features import Features, FeaturesError
from worker.cellsam.found_blocks import BlockFolder
from worker.cellsam.mask_decoder import prompt_batch
from worker.cellsam.mask_reading import READ, asked_for
from worker.cellsam.model import CellSAM
from worker.cellsam.model_input import ModelInput
from worker.cellsam.preprocess import Boxes
from worker.cellsam.prompts import BoxPrompts, PointPrompts, PromptError, Prompts, prompt_batches
from worker.cellsam.selection import rank
from worker.cellsam.side_by_side import batches_of, side_by_side
from worker.cellsam.sources import Samples
from worker.cellsam.stitching import BELOW_ALL, Segmentation
from worker.cellsam.sweep import (
    CellList,
    CellSink,
    Progress,
    ShouldStop,
    Stopped,
    TileCells,
    TilesDone,
    never,
    sweep,
    untold,
)
from worker.cellsam.trunk import Trunk
from worker.cellsam.trunk_inputs import PREPARE

__all__ = ["Embeddings", "Predictor", "PromptError", "Stopped", "TrunkCounter"]

Scale = float | Literal["auto"] | None

TRUNK_BATCH = 4  # tiles; larger batches are no faster on a CPU
DOUBT_SHARE = 0.5  # of the threshold, down to which boxes that were left out are of interest


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

    def with_parts(
        self, parts: Mapping[str, Mapping[str, Tensor]], *, threshold: float | None = None
    ) -> Predictor:
        """Another predictor with these weights in the model's parts of these names; all others are shared, not copied.

        A part is `neck`, `finder` or `trunk`. Raises CheckpointError if its weights are of another shape.
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
        image: Image,
        roles: Sequence[str] | None = None,
        *,
        scale: Scale = None,
        enhance: bool = False,
        equalised: bool = False,
        keep: torch.dtype = torch.float16,
        progress: Progress = untold,
        should_stop: ShouldStop = never,
    ) -> Features:
        """Run the trunk over all tiles of an (H, W) or (H, W, C) image; `roles` as in `channels.model_image`.

        `scale`: a number of times by which the image is enlarged beyond the model's usual way, or "auto" (see
        `cell_size`). `enhance`: for low or uneven contrast. `equalised`: CLAHE was done before, see
        `channels.config_image`. `keep` is the type in which the maps are kept: half precision is what the cache stores.

        Raises ImageError for an unusable image, Stopped if asked to stop between batches.
        """
        made = self._input(image, roles, scale, enhance, equalised)
        tiles = made.frame.embedded
        told = TilesDone(len(tiles), progress, should_stop)
        return Features.joined([self.embed_tiles(made, tiles, told, keep=keep)])

    def _input(
        self,
        image: Image,
        roles: Sequence[str] | None,
        scale: Scale,
        enhance: bool,
        equalised: bool = False,
    ) -> ModelInput:
        config = self.model.config
        made = ModelInput.of(image, roles, config, enhance=enhance, equalised=equalised)
        found = cell_size(made, self._look_at, self.thresholds.box).scale if scale == "auto" else scale
        return made if found is None else made.at_scale(config, found, enhance=enhance)

    def cell_size(self, image: Image, roles: Sequence[str] | None = None) -> CellSize:
        """The typical diameter of an image's cells, and the scale that suits it. Raises ImageError."""
        return cell_size(ModelInput.of(image, roles, self.model.config), self._look_at, self.thresholds.box)

    @torch.no_grad()
    def _look_at(self, part: ModelInput) -> list[Found]:
        tiles = part.frame.finest
        features = self.embed_tiles(part, tiles, TilesDone(len(tiles), untold, never))
        return [self._find(features, index) for index in tiles]

    @torch.no_grad()
    def embed_tiles(
        self, made: ModelInput, tiles: Sequence[int], told: TilesDone, *, keep: torch.dtype = torch.float16
    ) -> Features:
        """The trunks' maps of these tiles alone, in their order. Raises Stopped."""
        maps: dict[str, list[Tensor]] = {name: [] for name in self.model.trunks}
        prepare = PREPARE[self.model.config.strategies.inputs]
        for batch in batches_of(tiles, TRUNK_BATCH):
            told.check()
            inputs = torch.stack([made.tile(index) for index in batch])
            for name, trunk in self.model.trunks.items():
                maps[name].append(self._trunk(trunk, prepare[name](inputs)).to("cpu", keep))
            told.count(len(batch))
        joined = {name: torch.cat(parts) for name, parts in maps.items()}
        return Features(joined, made.frame, self.trunk_hash, made.preprocessing, tuple(tiles))

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
        """CellFinder's boxes (n, 4) in image pixels and scores (n,) above `threshold` (default: that of the model and,
        if it moves it, of the image), best first.

        Each cell is reported by the tile in whose middle it lies; cells that several tiles cut are left as they are.
        """
        found = [self._find(features, index, score=threshold) for index in features.frame.finest]
        owned = [(tile.boxes[tile.owned], tile.scores[tile.owned]) for tile in found]
        boxes = np.concatenate([boxes for boxes, _ in owned])
        scores = np.concatenate([scores for _, scores in owned])
        order = np.argsort(-scores, kind="stable")
        return features.frame.clip(boxes[order]), scores[order]

    def _find(
        self,
        features: Features,
        index: int,
        *,
        box_threshold: float | None = None,
        score: float | None = None,
        doubt_share: float = 1.0,
    ) -> Found:
        """One tile's boxes down to `doubt_share` of the threshold: what `box_threshold` (default: the model's) amounts
        to in this image, or the very `score`.
        """
        self._check(features)
        with self._products():
            output = self.model.find(self._tokens(features.finder_tokens, features.row(index)))
        selection = self.model.config.strategies.selection
        ranking = rank(output, selection, self.thresholds.box if box_threshold is None else box_threshold)
        threshold = ranking.threshold if score is None else score
        return Found.of(
            ranking,
            features.frame,
            index,
            threshold=threshold,
            down_to=doubt_share * threshold,
            clipped=selection == "fixed",
        )

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
        boxes: BoxPrompts | None = None,
        points: PointPrompts | None = None,
    ) -> tuple[list[BoxMask], NDArray[np.float32]]:
        """A mask in image pixels and the decoder's score (its IoU estimate) for each prompt, in the prompts' order.

        A prompt is a box, points or both, in image pixels: `boxes` (N, 4) x0, y0, x1, y1, or None for those without
        one; `points` for each prompt a (P, 3) array of x, y and label (1 cell, 0 background), as many as it has.
        A prompt always gets a mask, however low its score and whatever the other prompts are: where no pixel passes
        the threshold, the best ones inside the box. Boxes are cut at the image's border.

        Raises PromptError if prompts are malformed or lie outside the image, FeaturesError if the features are of
        another trunk.
        """
        embeddings = features if isinstance(features, Embeddings) else self.embed_neck(features)
        if embeddings.neck_hash != self.neck_hash:
            raise FeaturesError("these embeddings were made by another neck")
        frame = embeddings.features.frame
        needs_boxes, at_most = self.model.config.mask.box_raster, prompt_batch(self.device)
        batches = list(prompt_batches(boxes, points, frame, needs_boxes=needs_boxes, at_most=at_most))
        for index, _, _ in batches:
            self._embed_neck(embeddings, index)

        def masks(batch: tuple[int, NDArray[np.int64], Prompts]) -> list[tuple[int, BoxMask, float]]:
            index, places, prompts = batch
            tile, cut = frame.tiles[index], self.thresholds.mask_logit
            answers = zip(places, prompts.boxes, *self._logits(embeddings, index, prompts), strict=True)
            return [
                (int(place), asked_for(logits, box, tile, frame, cut, loose=prompts.loose), float(iou))
                for place, box, logits, iou in answers
            ]

        found = [answer for batch in side_by_side(masks, batches, self.device) for answer in batch]
        found.sort(key=lambda answer: answer[0])
        return [mask for _, mask, _ in found], np.array([iou for _, _, iou in found], dtype=np.float32)

    def _embed_neck(self, embeddings: Embeddings, index: int) -> None:
        """Compute the neck's output for a tile if it is not there."""
        features = embeddings.features
        if index not in embeddings.tiles:
            embeddings.tiles[index] = self.model.neck(self._tokens(features.tokens, features.row(index)))

    def _logits(
        self, embeddings: Embeddings, index: int, prompts: Prompts
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(N, 4h, 4w) mask logits over tile `index`, whose neck is done, and (N,) predicted IoU."""
        frame = embeddings.features.frame
        boxes, points = prompts.to_input(frame, frame.tiles[index], self.device)
        with self._products():
            logits, iou = self.model.decode(embeddings.tiles[index], boxes_xyxy=boxes, points=points)
        return logits.float().cpu().numpy(), iou.float().cpu().numpy()

    # Everything at once

    def segment(
        self,
        image: Image,
        roles: Sequence[str] | None = None,
        *,
        scale: Scale = None,
        enhance: bool = False,
        folder: Path | None = None,
        progress: Progress = untold,
        should_stop: ShouldStop = never,
    ) -> Segmentation:
        """All cells of an image; what `embed` and `segment_features` give, with a block of tiles in memory at a time.

        Arguments and errors are those of `embed`, `folder` is that of `segment_into`.
        """
        source, found = as_source(image), CellList()
        doubted = self.segment_into(
            found,
            source,
            roles,
            scale=scale,
            enhance=enhance,
            folder=folder,
            progress=progress,
            should_stop=should_stop,
        )
        return Segmentation.of(found.cells, source.height, source.width, doubted=doubted)

    @torch.no_grad()
    def segment_into(
        self,
        sink: CellSink,
        image: Image,
        roles: Sequence[str] | None = None,
        *,
        scale: Scale = None,
        enhance: bool = False,
        folder: Path | None = None,
        progress: Progress = untold,
        should_stop: ShouldStop = never,
    ) -> list[float]:
        """`segment` in bounded memory, whatever the image's size: cells go to `sink` as soon as they are final. Returns
        the doubted scores.

        `folder` keeps what was found so far, by image and model: a call that was stopped or killed is taken up by the
        next one, which gives the same cells. Delete it when all is done.
        """
        source, strategies = as_source(image), self.model.config.strategies
        if strategies.compat:

            def segment(block: Samples) -> Segmentation:
                features = self.embed(block, roles, should_stop=should_stop)
                return self.segment_features(features, should_stop=should_stop)

            sink.take(cells_by_blocks(source, segment, progress=progress), BELOW_ALL)
            return []
        made = self._input(source, roles, scale, enhance)
        told = TilesDone(len(made.frame.searched), progress, should_stop, steps=2)

        def look(tiles: Sequence[int]) -> list[TileCells]:
            return self.search_tiles(self.embed_tiles(made, tiles, told), tiles, told)

        decisions = self.model, self.thresholds, self.precision
        kept = None if folder is None else BlockFolder.of(folder, source, roles, made, *decisions)
        return sweep(made.frame, look, sink, told, overlaps=strategies.overlaps, kept=kept)

    @torch.no_grad()
    def segment_features(
        self, features: Features, *, progress: Progress = untold, should_stop: ShouldStop = never
    ) -> Segmentation:
        """All cells of an image from its cached features; no trunk call. Raises as `embed` does."""
        frame, found = features.frame, CellList()
        told = TilesDone(len(frame.searched), progress, should_stop)
        doubted = sweep(
            frame,
            lambda tiles: self.search_tiles(features, tiles, told),
            found,
            told,
            overlaps=self.model.config.strategies.overlaps,
        )
        return Segmentation.of(found.cells, frame.height, frame.width, doubted=doubted)

    @torch.no_grad()
    def candidates(
        self, features: Features, *, floor: float | None = None, progress: Progress = untold
    ) -> list[Candidate]:
        """Every detection that a box threshold of `floor` (default: the model's) admits, with its mask, not stitched.

        Calibration decodes once with a low floor and assembles the cells above each threshold that it tries.
        """
        told = TilesDone(len(features.frame.searched), progress, never)
        tiles = self.search_tiles(features, features.frame.searched, told, floor=floor)
        return [candidate for tile in tiles for candidate in tile.candidates]

    @torch.no_grad()
    def search_tiles(
        self, features: Features, tiles: Sequence[int], told: TilesDone, *, floor: float | None = None
    ) -> list[TileCells]:
        """What is found in each of these tiles, not stitched; their features are enough. Raises Stopped."""
        found = []
        for index in tiles:
            told.check()
            found.append(self._tile_cells(features, index, floor))
            told.count()
        return found

    def _tile_cells(self, features: Features, index: int, floor: float | None) -> TileCells:
        embeddings, frame = Embeddings(features, self.neck_hash), features.frame
        all_found = self._find(features, index, box_threshold=floor, doubt_share=DOUBT_SHARE)
        found = all_found[all_found.certain]
        batches = batches_of(found.worth_decoding(frame, index), prompt_batch(self.device))
        if batches:
            self._embed_neck(embeddings, index)

        read = READ[self.model.config.strategies.masks]

        def decoded(rows: NDArray[np.int64]) -> list[Candidate | None]:
            answers = self._logits(embeddings, index, Prompts(found.boxes[rows]))
            return [
                decoded_candidate(found, row, logits, iou, frame, index, read, self.thresholds)
                for row, logits, iou in zip(rows, *answers, strict=True)
            ]

        of_batches = side_by_side(decoded, batches, self.device)
        candidates = [one for batch in of_batches for one in batch if one is not None]
        return TileCells(candidates, [] if frame.tiles[index].level else all_found.doubted())

    def _tokens(self, tokens: Tensor, index: int) -> Tensor:
        return tokens[index : index + 1].to(self.device, torch.float32)

    def _check(self, features: Features) -> None:
        usual = features.preprocessing.split("+")[0]
        if features.trunk_hash != self.trunk_hash or usual != self.preprocessing:
            raise FeaturesError(
                "these features were made by another trunk or another preprocessing; embed the image again"
            )
