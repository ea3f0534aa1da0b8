"""Rung 3, all of it: for images that the trunk has never seen the like of. Long, and nothing of it is cached.

Trunk, neck and CellFinder learn together from pixels; the mask decoder stays, as on the rungs below. All weights of the
trunk move: there is no low-rank detour. As in training from scratch, every pixel teaches it something too.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from worker.cellsam.channels import config_channels
from worker.cellsam.data.manifest import Field
from worker.cellsam.features import Features
from worker.cellsam.predictor import Predictor
from worker.cellsam.training.auxiliary import AuxiliaryHead
from worker.cellsam.training.criterion import mask_loss
from worker.cellsam.training.crops import Augmentation, Cropper
from worker.cellsam.training.objective import choose_prompts
from worker.cellsam.training.targets import Batch
from worker.cellsam.tuning.config import TuningConfig
from worker.cellsam.tuning.finder import detection_criterion
from worker.cellsam.tuning.judging import Judge
from worker.cellsam.tuning.replay import draw_weights
from worker.cellsam.tuning.sample import TuningError, TuningSample

PARTS = ("trunk", "neck", "finder")
HALF_TILES = 0.75  # of the steps
# A project's images come from one microscope, so they vary less than those that the base saw; and there are few of
# them, which a trunk would learn by heart if it always saw them as they are.
VARIED = Augmentation(
    scale=(0.75, 1.33), gamma=0.35, stretch=0.3, noise=0.2, tint=0.1, invert=0, second_channel=0, no_nuclei=0, gray=0
)  # fmt: skip


class TrunkLearner:
    """Draws tiles anywhere in an image, turned, at other sizes and under other light (`VARIED`).

    Most steps see half tiles, as training from scratch does: a quarter of a tile's price, and six of them teach more
    than two tiles. Learned anchors belong to the whole input, so a model that has them sees whole tiles alone.
    """

    def __init__(
        self, start: Predictor, training: Sequence[TuningSample], judge: Judge, config: TuningConfig
    ) -> None:
        self._start, self._judge, self._config = start, judge, config
        self._parts = nn.ModuleDict(
            {name: copy.deepcopy(start.model.get_submodule(name)).requires_grad_(True) for name in PARTS}
        )
        self._model = start.model.with_parts(dict(self._parts.items()))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self._auxiliary = AuxiliaryHead(start.model.config.trunk.dim).to(start.device)
        self._parts["auxiliary"] = self._auxiliary  # learns along, and no version has it
        self._criterion = detection_criterion(start.model.config)
        self._samples = training
        self._fields: dict[int, Field] = {}
        # An image is drawn as often as it has tiles.
        self._image_of_tile = [
            index for index, sample in enumerate(training) for _ in sample.features.frame.finest
        ]
        earlier = [training[index].earlier for index in self._image_of_tile]
        self._weights = draw_weights(earlier, config.replay_share)

    @property
    def module(self) -> nn.Module:
        return self._parts

    @property
    def steps(self) -> int:
        return self._config.trunk.steps(len(self._image_of_tile), self._config.whole_tiles_a_step)

    def quality(self, pause: Callable[[], None]) -> float:
        """The mean of both qualities of the rungs below; the trunk is run for each look."""
        predictor = self.predictor()
        features = list(embedded(predictor, self._judge.samples, pause))
        found = self._judge.box_quality(predictor, features)
        return (self._judge.mask_quality(predictor, features) + found) / 2

    def predictor(self) -> Predictor:
        """The start with everything as it is now; the trunk rounded to float16, as its file will have it."""
        states = {name: dict(self._parts[name].state_dict()) for name in PARTS}
        states["trunk"] = {name: tensor.half().float() for name, tensor in states["trunk"].items()}
        return self._start.with_parts(states)

    def loss(self, random: np.random.Generator) -> Tensor:
        batch = self.batch(random)
        with torch.autocast(batch.pixels.device.type, dtype=torch.bfloat16):
            tokens = self._model.trunk(batch.pixels, batch.origin)
            found = self._model.find(tokens, batch.origin)
            prompts = choose_prompts(
                batch.boxes_xyxy, limit=self._config.prompts, size=batch.pixels.shape[-1]
            )
            losses = self._criterion(found, batch) | self._auxiliary.losses(tokens, batch.labels)
            loss = torch.stack(list(losses.values())).sum()
            if len(prompts.label) == 0:
                return loss
            embeddings = self._model.neck(tokens)[prompts.crop]
            logits, _ = self._model.decode(
                embeddings, boxes_xyxy=prompts.boxes_xyxy + batch.offset, origin=batch.origin
            )
        truth = (batch.labels[prompts.crop] == prompts.label[:, None, None]).float()  # (N, S, S)
        truth = F.avg_pool2d(truth[:, None], truth.shape[-1] // logits.shape[-1])[:, 0]
        return loss + mask_loss(logits.float(), truth)

    def batch(self, random: np.random.Generator) -> Batch:
        """Half tiles or whole ones, all cut at the same place of the input."""
        config = self._model.config
        halved = config.finder.kind == "peaks" and random.random() < HALF_TILES
        count = self._config.half_tiles_a_step if halved else self._config.whole_tiles_a_step
        grid = config.grid // 2 if halved else config.grid  # tokens on a side
        origin = (int(random.integers(config.grid - grid + 1)), int(random.integers(config.grid - grid + 1)))
        rows = random.choice(len(self._image_of_tile), count, p=self._weights)
        cropper = Cropper(VARIED, random)
        drawn = [
            cropper.crop(
                self._field(self._image_of_tile[row]),
                grid * config.trunk.patch_px,
                enlarged=config.tiling.scale,
            )
            for row in rows
        ]
        return Batch.of(
            np.stack([pixels for pixels, _ in drawn]),
            np.stack([labels for _, labels in drawn]),
            origin=origin,
            patch_px=config.trunk.patch_px,
            input_px=config.trunk.input_px,
            device=self._start.device,
        )

    def _field(self, index: int) -> Field:
        """Read when it is first drawn."""
        if index not in self._fields:
            sample = self._samples[index]
            channels = config_channels(*_pixels(sample), self._model.config, equalised=sample.equalised)
            self._fields[index] = Field.of(channels, sample.labels)
        return self._fields[index]


def embedded(
    predictor: Predictor, samples: Iterable[TuningSample], pause: Callable[[], None]
) -> Iterator[Features]:
    """What a tuned trunk makes of the images; `pause` is called between batches of tiles."""
    for sample in samples:
        pause()
        yield predictor.embed(*_pixels(sample), equalised=sample.equalised, progress=lambda done: pause())


def _pixels(sample: TuningSample) -> tuple[NDArray[Any], Sequence[str]]:
    if sample.source is None:
        raise TuningError("the trunk cannot be tuned: the pixels of an image are not at hand")
    return sample.source()
