"""From a configuration to a model with fresh weights. The only place where parts are chosen and sized."""

from __future__ import annotations

import torch
from torch import nn

from worker.cellsam.anchor_finder import AnchorFinder
from worker.cellsam.config import CellSAMConfig, FinderConfig, TrunkConfig
from worker.cellsam.mask_decoder import BatchMaskDecoder
from worker.cellsam.model import CellSAM
from worker.cellsam.neck import Neck
from worker.cellsam.peak_finder import PeakFinder
from worker.cellsam.prompt_encoder import BoxPromptEncoder
from worker.cellsam.sam_modules import ImageEncoderViT, TwoWayTransformer
from worker.cellsam.trunk import ConvStem, Trunk


def build(config: CellSAMConfig) -> CellSAM:
    """A model with random weights, drawn from torch's global generator."""
    prompt_encoder = BoxPromptEncoder(
        dim=config.mask.dim,
        grid=config.grid,
        input_px=config.trunk.input_px,
        mask_in_channels=config.mask.mask_in_channels,
        box_raster=config.mask.box_raster,
    )
    prompt_encoder.scale_frequencies(config.mask.frequency_scale)
    return CellSAM(
        config,
        trunk=_trunk(config.trunk, config.mask.dim),
        neck=Neck(config.trunk.dim, config.mask.dim),
        finder=_finder(config.finder, config.trunk.dim, config.grid),
        prompt_encoder=prompt_encoder,
        mask_decoder=_mask_decoder(config),
        finder_trunk=None if config.finder_trunk is None else _trunk(config.finder_trunk, config.mask.dim),
    )


def _trunk(trunk: TrunkConfig, neck_dim: int) -> Trunk:
    encoder = ImageEncoderViT(
        img_size=trunk.input_px,
        patch_size=trunk.patch_px,
        embed_dim=trunk.dim,
        depth=trunk.depth,
        num_heads=trunk.heads,
        mlp_ratio=trunk.mlp_ratio,
        out_chans=neck_dim,
        use_rel_pos=True,
        window_size=trunk.window,
        global_attn_indexes=trunk.global_blocks,
    )
    torch.nn.init.trunc_normal_(encoder.pos_embed, std=0.02)
    if not trunk.global_relative_positions:
        for index in trunk.global_blocks:
            attention = encoder.blocks[index].attn
            attention.use_rel_pos = False
            del attention.rel_pos_h, attention.rel_pos_w
    stem = None if trunk.stem_widths is None else ConvStem(trunk.dim, trunk.stem_widths, trunk.stem_blocks)
    return Trunk(encoder, pixel_mean=trunk.pixel_mean, pixel_std=trunk.pixel_std, stem=stem)


def _finder(config: FinderConfig, in_dim: int, grid: int) -> nn.Module:
    if config.kind == "peaks":
        return PeakFinder(
            in_dim=in_dim,
            dim=config.dim,
            heads=config.heads,
            ffn_dim=config.ffn_dim,
            layers=config.decoder_layers,
            queries=config.queries,
            grid=grid,
            peak_bias=config.peak_bias,
        )
    return AnchorFinder(
        in_dim=in_dim,
        dim=config.dim,
        heads=config.heads,
        ffn_dim=config.ffn_dim,
        encoder_layers=config.encoder_layers,
        decoder_layers=config.decoder_layers,
        anchors=config.queries,
        patterns=config.patterns,
        classes=config.classes,
    )


def _mask_decoder(config: CellSAMConfig) -> BatchMaskDecoder:
    mask = config.mask
    return BatchMaskDecoder(
        transformer_dim=mask.dim,
        transformer=TwoWayTransformer(
            depth=mask.depth, embedding_dim=mask.dim, num_heads=mask.heads, mlp_dim=mask.mlp_dim
        ),
        num_multimask_outputs=mask.multimask_outputs,
        iou_head_depth=3,
        iou_head_hidden_dim=mask.iou_hidden_dim,
    )
