"""SAM's mask decoder for many prompts at once, each with its own image embedding or all with one."""

from __future__ import annotations

import torch
from torch import Tensor

from worker.cellsam.sam_modules import MaskDecoder


class BatchMaskDecoder(MaskDecoder):  # type: ignore[misc]
    """SAM's decoder repeats one image's embedding for its prompts; here rows are already paired with prompts.

    Parameter names are SAM's. Only the single-mask output (token 0) is computed: a box prompt is not ambiguous.
    """

    def decode(
        self, embeddings: Tensor, positions: Tensor, sparse: Tensor, dense: Tensor
    ) -> tuple[Tensor, Tensor]:
        """`embeddings` (N or 1, dim, h, w), `positions` (1, dim, h, w), `sparse` (N, tokens, dim), `dense`
        (N, dim, h, w) -> mask logits (N, 4h, 4w) and predicted IoU (N,).
        """
        count = len(sparse)
        output_tokens = torch.cat([self.iou_token.weight, self.mask_tokens.weight])[None].expand(
            count, -1, -1
        )
        source = embeddings + dense  # (N, dim, h, w)
        height, width = source.shape[-2:]
        tokens, image = self.transformer(
            source, positions.expand(count, -1, -1, -1), torch.cat([output_tokens, sparse], dim=1)
        )
        image = image.transpose(1, 2).reshape(count, -1, height, width)
        upscaled = self.output_upscaling(image)  # (N, dim/8, 4h, 4w)
        weights = self.output_hypernetworks_mlps[0](tokens[:, 1])  # (N, dim/8)
        logits = torch.einsum("nc,nchw->nhw", weights, upscaled)
        return logits, self.iou_prediction_head(tokens[:, 0])[:, 0]
