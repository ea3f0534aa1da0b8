"""SAM's mask decoder for many prompts at once, each with its own image embedding or all with one."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from worker.cellsam.products import Activation, linear
from worker.cellsam.sam_modules import MaskDecoder
from worker.cellsam.two_way import two_way

# Prompts at a time, by the kind of device: measured by `python -m worker.cellsam benchmark` (docs/benchmarks.md). What
# a prompt needs should stay in a CPU's cache, of which every core has a batch; a GPU wants enough to do.
PROMPT_BATCH = {"cpu": 2, "cuda": 64}
DEFAULT_PROMPT_BATCH = 16


def prompt_batch(device: torch.device) -> int:
    """How many prompts to decode at once."""
    return PROMPT_BATCH.get(device.type, DEFAULT_PROMPT_BATCH)


class BatchMaskDecoder(MaskDecoder):  # type: ignore[misc]
    """SAM's decoder repeats one image's embedding for its prompts; here rows are already paired with prompts.

    Parameter names are SAM's. Only the single-mask output (token 0) is computed: a box prompt is not ambiguous.
    """

    def decode(
        self, embeddings: Tensor, positions: Tensor, sparse: Tensor, dense: Tensor
    ) -> tuple[Tensor, Tensor]:
        """`embeddings` (N or 1, dim, h, w), `positions` (1, dim, h, w), `sparse` (N, tokens, dim), `dense` (N or 1,
        dim, h, w or 1, 1) -> mask logits (N, 4h, 4w) and predicted IoU (N,).

        While embeddings and dense prompts are one for all, what depends on the image alone is computed once.
        """
        output_tokens = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        tokens = torch.cat([output_tokens.expand(len(sparse), -1, -1), sparse], dim=1)
        source = embeddings + dense
        image, places = (maps.flatten(2).transpose(1, 2) for maps in (source, positions))
        tokens, image = two_way(self.transformer, tokens, image, places)
        weights = self.output_hypernetworks_mlps[0](tokens[:, 1])  # (N, dim/8)
        logits = self._logits(image, weights, (source.shape[-2], source.shape[-1]))
        return logits, self.iou_prediction_head(tokens[:, 0])[:, 0]

    def _logits(self, image: Tensor, weights: Tensor, size: tuple[int, int]) -> Tensor:
        """The upscaled image (N, h w, dim) times each prompt's weights (N, dim/8) -> (N, 4h, 4w).

        Transposed convolutions whose kernels do not overlap turn a pixel into four by one product each. Pixels stay
        grouped by the pixel that they came from until there is one number for each.
        """
        first, norm, activation, second, _ = self.output_upscaling
        grown = _four_of_each(first, image)  # (N, h w, 4, dim/4)
        grown = activation(F.layer_norm(grown, grown.shape[-1:], norm.weight, norm.bias, norm.eps))
        grown = _four_of_each(second, grown, "gelu")  # (N, h w, 4, 4, dim/8)
        values = grown.flatten(1, 3) @ weights[..., None].to(grown.dtype)  # (N, 16 h w, 1)
        # Rows, columns, then two halvings of both.
        nested = torch.unflatten(values.squeeze(-1), 1, (*size, 2, 2, 2, 2))
        return nested.permute(0, 1, 3, 5, 2, 4, 6).flatten(4, 6).flatten(1, 3)


def _four_of_each(layer: nn.ConvTranspose2d, pixels: Tensor, activation: Activation = "none") -> Tensor:
    """A 2x2 transposed convolution of stride 2: (..., in) -> (..., 4, out), the four row by row."""
    weight = layer.weight.permute(2, 3, 1, 0).flatten(0, 2)  # (4 out, in)
    bias = None if layer.bias is None else layer.bias.repeat(4)
    return torch.unflatten(linear(pixels, weight, bias, activation), -1, (4, -1))
