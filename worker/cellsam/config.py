"""What a CellSAM is made of, as frozen dataclasses, and the sets of numbers that this package knows.

`PAPER` is the model of the paper, `PUBLISHED` the one whose weights were released later (two trunks, other inputs,
other decisions), `TINY` ours. They differ in this file alone: every difference is a number or a strategy's name.

A configuration travels inside each weight file (`to_json`), so a checkpoint says by itself how to build its model.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, TypeVar

T = TypeVar("T")


class ConfigError(ValueError):
    """A configuration read from a file is not one that this version understands."""


@dataclass(frozen=True, slots=True)
class TrunkConfig:
    """SAM's ViT up to, and without, its neck. Token grid = `input_px` / `patch_px` on a side."""

    input_px: int
    patch_px: int
    dim: int
    depth: int
    heads: int
    mlp_ratio: float
    window: int
    global_blocks: tuple[int, ...]
    pixel_mean: tuple[float, float, float]  # of model input in [0, 1]
    pixel_std: tuple[float, float, float]
    # None: SAM's linear patch embedding. Else the widths of a convolutional stem, one per halving of the resolution;
    # a small trunk trained from scratch has neither the data nor the depth to learn edges from raw patches.
    stem_widths: tuple[int, ...] | None = None
    stem_blocks: tuple[int, ...] = ()
    # Relative positions in global blocks cost a table of the full grid and forbid smaller training windows.
    global_relative_positions: bool = True


@dataclass(frozen=True, slots=True)
class FinderConfig:
    """CellFinder. `anchors`: Anchor DETR with learned anchor points and RCDA, as published.
    `peaks`: the top-k tokens of a dense head are the anchors, with a soft bias towards local maxima."""

    kind: Literal["anchors", "peaks"]
    dim: int
    heads: int
    ffn_dim: int
    encoder_layers: int
    decoder_layers: int
    queries: int
    classes: int = 1
    patterns: int = 1
    peak_bias: float = 0.0


@dataclass(frozen=True, slots=True)
class MaskConfig:
    """SAM's prompt encoder and mask decoder, and the neck that feeds them."""

    dim: int
    heads: int = 8
    depth: int = 2
    mlp_dim: int = 2048
    iou_hidden_dim: int = 256
    multimask_outputs: int = 3
    mask_in_channels: int = 16
    # Draw the box into SAM's mask prompt as well: without it a decoder trained from scratch takes far longer to learn
    # where the box is (mask IoU .49 against .02 after the same 100 steps).
    box_raster: bool = False
    # Scale of every second Fourier frequency of the prompt's positions; SAM's are low for small cells.
    frequency_scale: float = 1.0


@dataclass(frozen=True, slots=True)
class TilingConfig:
    """How source pixels reach the model: square tiles of `tile_px` source pixels, enlarged `scale` times.

    An image of at most `stretch_px` on its longer side is one tile instead, stretched to the model's square input.
    `padding` fills what an image smaller than a tile leaves.
    """

    tile_px: int
    scale: float
    overlap_px: int
    stretch_px: int = 0
    padding: Literal["mirror", "zeros"] = "mirror"

    @property
    def input_px(self) -> int:
        """The side of the model's square input."""
        return round(self.tile_px * self.scale)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Decisions of inference. `box` on CellFinder's score, `iou` on the decoder's own estimate, `mask_logit` on pixels,
    `region_px` on their regions.
    """

    box: float
    iou: float
    mask_logit: float = 0.0
    # SAM's `min_mask_region_area`, in image pixels: smaller holes are filled and smaller islands removed. 0: all holes,
    # and all islands but the largest, so that a cell is one simply connected thing.
    region_px: int = 0


@dataclass(frozen=True, slots=True)
class Strategies:
    """Which of several ways each step of inference goes; the defaults are `tiny`'s.

    `compat` cuts images up as the published package does by default: blocks that wrap around at the image's border,
    each normalised by itself. Its results then come close to that package's, and break cells at seams as it does.
    """

    # `intensity.NORMALISERS`: percentiles; CLAHE as in the paper; the brightest thousandth clipped, then CLAHE.
    intensity: Literal["percentiles", "clahe", "clipped_clahe"] = "percentiles"
    # `trunk_inputs.PREPARE`: each trunk's own treatment of a tile.
    inputs: Literal["same", "adversarial", "plain"] = "same"
    # `selection.SELECT`: the best class of a query above a fixed threshold; every class above one that 2-means moves.
    selection: Literal["fixed", "two_means"] = "fixed"
    # Masks read near their boxes and cleaned one by one, or wherever the decoder put them, as SAM enlarges them.
    masks: Literal["boxed", "whole"] = "boxed"
    # `stitching.ASSEMBLE`: the largest logit owns a pixel (the paper), or the lowest score (painted last).
    overlaps: Literal["argmax", "painter"] = "argmax"
    compat: bool = False


@dataclass(frozen=True, slots=True)
class CellSAMConfig:
    name: str
    trunk: TrunkConfig
    finder: FinderConfig
    mask: MaskConfig
    tiling: TilingConfig
    thresholds: Thresholds
    # Whether stained RGB images keep their colour or come as gray values. Older files do not say: gray.
    colour: bool = False
    # CellFinder's own trunk; None: it reads the one that feeds the neck.
    finder_trunk: TrunkConfig | None = None
    strategies: Strategies = field(default_factory=Strategies)

    @property
    def grid(self) -> int:
        """Tokens on a side of a tile."""
        return self.trunk.input_px // self.trunk.patch_px

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> CellSAMConfig:
        """Raises ConfigError if the text is not a configuration of this version."""
        try:
            raw = json.loads(text)
            return cls(
                name=str(raw["name"]),
                trunk=_read(TrunkConfig, raw["trunk"]),
                finder=_read(FinderConfig, raw["finder"]),
                mask=_read(MaskConfig, raw["mask"]),
                tiling=_read(TilingConfig, raw["tiling"]),
                thresholds=_read(Thresholds, raw["thresholds"]),
                colour=bool(raw.get("colour", False)),
                finder_trunk=_read(TrunkConfig, raw["finder_trunk"]) if raw.get("finder_trunk") else None,
                strategies=_read(Strategies, raw.get("strategies", {})),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"not a CellSAM configuration: {error}") from error


def _read(cls: type[T], raw: dict[str, Any]) -> T:
    known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
    unknown = set(raw) - known
    if unknown:
        raise ValueError(f"{cls.__name__} has no field {', '.join(sorted(unknown))}")
    return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()})


# The paper's appendix B: SAM ViT-B and Anchor DETR's defaults with 3500 learned anchors and one pattern. 512 source
# pixels a tile, padded with zeros, enlarged to SAM's 1024, with a quarter of overlap.
PAPER = CellSAMConfig(
    name="paper",
    trunk=TrunkConfig(
        input_px=1024,
        patch_px=16,
        dim=768,
        depth=12,
        heads=12,
        mlp_ratio=4.0,
        window=14,
        global_blocks=(2, 5, 8, 11),
        pixel_mean=(123.675 / 255, 116.28 / 255, 103.53 / 255),  # SAM's, which are ImageNet's
        pixel_std=(58.395 / 255, 57.12 / 255, 57.375 / 255),
    ),
    finder=FinderConfig(
        kind="anchors",
        dim=256,
        heads=8,
        ffn_dim=1024,
        encoder_layers=6,
        decoder_layers=6,
        queries=3500,
        classes=2,  # DETR's "largest class id + 1"; both logits count
    ),
    mask=MaskConfig(dim=256),
    tiling=TilingConfig(tile_px=512, scale=2, overlap_px=128, padding="zeros"),
    # SAM cleans regions of less than 100 pixels; of an image enlarged twice, that is 25 of its own.
    thresholds=Thresholds(box=0.4, iou=0.5, region_px=25),
    strategies=Strategies(intensity="clahe"),
)

# What was released: two trunks with inputs of their own. CellFinder's sees [0, 1] without SAM's normalisation. Images
# are stretched to the input; the package cuts them into blocks of 512 (see `Strategies.compat`), which for images that
# lose no resolution by stretching only repeats the trunks, so those stay whole here.
PUBLISHED = replace(
    PAPER,
    name="published",
    finder_trunk=replace(PAPER.trunk, pixel_mean=(0.0, 0.0, 0.0), pixel_std=(1.0, 1.0, 1.0)),
    tiling=TilingConfig(tile_px=512, scale=2, overlap_px=128, stretch_px=1024),
    thresholds=Thresholds(box=0.4, iou=0.5, mask_logit=math.log(0.4 / 0.6)),
    strategies=Strategies(
        intensity="clipped_clahe",
        inputs="adversarial",
        selection="two_means",
        masks="whole",
        overlaps="painter",
    ),
)

# Released files without a second set of SAM's weights: the same model on plainer inputs.
PUBLISHED_PLAIN = replace(
    PUBLISHED, finder_trunk=PAPER.trunk, strategies=replace(PUBLISHED.strategies, inputs="plain")
)

# The same wiring small enough to train and run on two CPU cores: 256 source pixels at their own resolution with a
# stride of 8, which is the geometry of PAPER's 16-pixel patches on a doubled image.
TINY = CellSAMConfig(
    name="tiny",
    trunk=TrunkConfig(
        input_px=256,
        patch_px=8,
        dim=192,
        depth=4,
        heads=6,
        mlp_ratio=3.0,
        window=8,
        global_blocks=(2,),
        pixel_mean=(0.25, 0.25, 0.25),
        pixel_std=(0.25, 0.25, 0.25),
        stem_widths=(32, 64, 128),
        stem_blocks=(0, 1, 3),
        global_relative_positions=False,
    ),
    finder=FinderConfig(
        kind="peaks",
        dim=192,
        heads=6,
        ffn_dim=512,
        encoder_layers=0,
        decoder_layers=2,
        queries=256,
        peak_bias=2.0,
    ),
    mask=MaskConfig(
        dim=128, mlp_dim=512, iou_hidden_dim=128, multimask_outputs=0, box_raster=True, frequency_scale=3.0
    ),
    tiling=TilingConfig(tile_px=256, scale=1, overlap_px=72),
    thresholds=Thresholds(box=0.5, iou=0.5),
    colour=True,
)

CONFIGURATIONS = {config.name: config for config in (PAPER, PUBLISHED, TINY)}
