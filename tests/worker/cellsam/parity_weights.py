"""Weights that are a pure function of a parameter's name and shape: the same for every implementation that is compared.

The rule. A generator PCG64 is seeded with the first 16 bytes (big-endian) of the SHA-256 of the name; heads that the
layers of a decoder share (`class_embed.<i>`, `bbox_embed.<i>`) are all named for layer 0. It draws standard normal
numbers in float32, uniform ones for `position.weight`. The first of `RULES` whose pattern is found in the name says
what becomes of them: offset + gain * draw, the gain divided by the square root of the size of the axis named, if any.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float32]


@dataclass(frozen=True)
class Rule:
    pattern: str
    gain: float = 1.0
    offset: float = 0.0
    fan_axis: int | None = None

    def apply(self, draw: Weights) -> Weights:
        fan = 1.0 if self.fan_axis is None else np.sqrt(draw.shape[self.fan_axis])
        return np.float32(self.offset) + np.float32(self.gain / fan) * draw


NORM = (
    r"(\bnorm\d?|norm_final_attn|\bneck\.[13]|input_proj\.\d+\.1|output_upscaling\.1|mask_downscaling\.[14])"
)
ATTENTION = r"transformer\.{}_layers\.\d+\.{}_attn\.out_proj\.weight$"
RULES = (
    Rule(r"transformer\.position\.weight$"),
    Rule(NORM + r"\.weight$", gain=0.1, offset=1),
    Rule(NORM + r"\.bias$", gain=0.05),
    Rule(r"positional_encoding_gaussian_matrix|pos_embed$"),
    Rule(r"rel_pos_", gain=0.1),
    Rule(r"point_embeddings|not_a_point_embed|no_mask_embed|iou_token|mask_tokens|pattern"),
    Rule(r"class_embed.*weight$", gain=4, fan_axis=1),
    Rule(r"bbox_embed\.0\.layers\.2\.weight$", gain=1.5, fan_axis=1),
    Rule(ATTENTION.format("encoder", "self"), gain=0.2, fan_axis=1),
    Rule(ATTENTION.format("decoder", "self"), gain=0.2, fan_axis=1),
    Rule(ATTENTION.format("decoder", "cross"), gain=8, fan_axis=1),
    Rule(r"adapt_pos[12]d\.[02]\.weight$", gain=4, fan_axis=1),
    Rule(r"output_hypernetworks_mlps\.\d\.layers\.2\.bias$", gain=0.02, offset=-0.5),
    Rule(r"iou_prediction_head\.layers\.2\.weight$", gain=2, fan_axis=1),
    Rule(r"bias$", gain=0.02),
    Rule(
        r"output_upscaling\.[03]\.weight$", fan_axis=0
    ),  # transposed convolutions whose kernels do not overlap
)
# Queries and keys of CellFinder's attention, and values: sharp attention lets queries differ.
QUERY_KEY_GAIN, VALUE_GAIN = 2.5, 2.0
PATCH_GAIN = 4.0
SIZE_BIAS = -3.0  # boxes of about a twentieth of the input


def weights(
    shapes: Iterable[tuple[str, tuple[int, ...]]], *, class_bias: tuple[float, float], iou_bias: float
) -> Mapping[str, Weights]:
    """Arrays by name; the biases, which decide how many boxes pass, belong to the image."""
    return {name: _array(name, shape, class_bias, iou_bias) for name, shape in shapes}


def _array(name: str, shape: tuple[int, ...], class_bias: tuple[float, float], iou_bias: float) -> Weights:
    name = re.sub(r"\b(class|bbox)_embed\.\d+\.", r"\1_embed.0.", name)
    if re.search(r"class_embed.*bias$", name):
        return np.array(class_bias, np.float32)
    if name.endswith("bbox_embed.0.layers.2.bias"):
        return np.array([0, 0, SIZE_BIAS, SIZE_BIAS], np.float32)
    draw = _draw(name, shape)
    if name.endswith("iou_prediction_head.layers.2.bias"):
        return np.float32(iou_bias) + np.float32(0.02) * draw
    if name.endswith("in_proj_weight"):
        gains = np.full((shape[0], 1), QUERY_KEY_GAIN)
        gains[-shape[1] :] = VALUE_GAIN
        return (gains / np.sqrt(shape[1])).astype(np.float32) * draw
    rule = next((rule for rule in RULES if re.search(rule.pattern, name)), None)
    if rule is not None:
        return rule.apply(draw)
    gain = PATCH_GAIN if "patch_embed" in name else 1.0
    return np.float32(gain / np.sqrt(np.prod(shape[1:]))) * draw


def _draw(name: str, shape: tuple[int, ...]) -> Weights:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big")
    generator = np.random.Generator(np.random.PCG64(seed))
    if name.endswith("transformer.position.weight"):
        return generator.random(size=shape, dtype=np.float32)
    return generator.standard_normal(size=shape, dtype=np.float32)
