"""What was made faster gives the numbers of what it replaces: SAM's own modules and plain definitions."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from worker.cellsam import attention, rcda
from worker.cellsam.anchor_finder import AnchorFinder
from worker.cellsam.attention import attend
from worker.cellsam.constants import Constants
from worker.cellsam.mask_decoder import BatchMaskDecoder
from worker.cellsam.products import batched, linear
from worker.cellsam.prompt_encoder import BoxPromptEncoder
from worker.cellsam.rcda import RowColumnAttention
from worker.cellsam.sam_modules import ImageEncoderViT, MaskDecoder, TwoWayTransformer
from worker.cellsam.trunk import Trunk

CLOSE = 1e-5  # of the largest value
DIM, GRID = 32, 6


@pytest.fixture(autouse=True)
def without_gradients() -> Iterator[None]:
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def randomised(module: nn.Module) -> None:
    """SAM starts some parameters at zero, where a mistake would not show."""
    for parameter in module.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))


def apart(ours: Tensor, theirs: Tensor) -> float:
    assert ours.shape == theirs.shape
    return float((ours - theirs).abs().max() / theirs.abs().max())


@pytest.fixture
def encoder() -> ImageEncoderViT:
    """A windowed block whose windows do not divide the grid, and a global one."""
    made = ImageEncoderViT(
        img_size=4 * GRID,
        patch_size=4,
        embed_dim=DIM,
        depth=2,
        num_heads=2,
        out_chans=DIM,
        use_rel_pos=True,
        window_size=4,
        global_attn_indexes=(1,),
    )
    randomised(made)
    return made.eval()


def trunk_of(encoder: ImageEncoderViT) -> Trunk:
    return Trunk(encoder, pixel_mean=(0, 0, 0), pixel_std=(1, 1, 1), stem=None)


def sams_trunk(encoder: ImageEncoderViT, pixels: Tensor) -> Tensor:
    tokens = encoder.patch_embed(pixels) + encoder.pos_embed
    for block in encoder.blocks:
        tokens = block(tokens)
    return tokens.permute(0, 3, 1, 2)


def test_the_trunk_has_sams_numbers(encoder: ImageEncoderViT) -> None:
    pixels = torch.rand(2, 3, 4 * GRID, 4 * GRID)

    assert apart(trunk_of(encoder)(pixels), sams_trunk(encoder, pixels)) < CLOSE


def test_attention_in_many_pieces_has_the_same_numbers(
    encoder: ImageEncoderViT, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "PIECE", 3 * GRID**2 + 1)
    pixels = torch.rand(1, 3, 4 * GRID, 4 * GRID)

    assert apart(trunk_of(encoder)(pixels), sams_trunk(encoder, pixels)) < CLOSE


def test_the_trunk_learns_through_sams_own_blocks(encoder: ImageEncoderViT) -> None:
    with torch.enable_grad():
        trunk_of(encoder)(torch.rand(1, 3, 4 * GRID, 4 * GRID)).sum().backward()

    assert all(parameter.grad is not None for parameter in encoder.blocks.parameters())


def test_bfloat16_stays_near(encoder: ImageEncoderViT) -> None:
    pixels = torch.rand(1, 3, 4 * GRID, 4 * GRID)

    with torch.autocast("cpu", torch.bfloat16):
        rough = trunk_of(encoder)(pixels)

    assert 0 < apart(rough, sams_trunk(encoder, pixels)) < 0.02


@pytest.fixture
def decoder() -> BatchMaskDecoder:
    made = BatchMaskDecoder(
        transformer_dim=DIM,
        transformer=TwoWayTransformer(depth=2, embedding_dim=DIM, num_heads=4, mlp_dim=48),
    )
    randomised(made)
    return made.eval()


def sams_masks(decoder: MaskDecoder, *parts: Tensor) -> tuple[Tensor, Tensor]:
    """One prompt after the other, as SAM's predictor would."""
    embeddings, positions, sparse, dense = parts
    masks, ious = zip(
        *(
            MaskDecoder.forward(
                decoder,
                image_embeddings=embeddings[row : row + 1] if len(embeddings) > 1 else embeddings,
                image_pe=positions,
                sparse_prompt_embeddings=sparse[row : row + 1],
                dense_prompt_embeddings=dense[row : row + 1] if len(dense) > 1 else dense,
                multimask_output=False,
            )
            for row in range(len(sparse))
        ),
        strict=True,
    )
    return torch.cat(masks)[:, 0], torch.cat(ious)[:, 0]


@pytest.mark.parametrize(("images", "drawn"), [(1, 1), (3, 1), (1, 3), (3, 3)])
def test_masks_have_sams_logits_and_scores(decoder: BatchMaskDecoder, images: int, drawn: int) -> None:
    embeddings, positions = torch.randn(images, DIM, GRID, GRID + 1), torch.randn(1, DIM, GRID, GRID + 1)
    sparse = torch.randn(3, 2, DIM)
    dense = torch.randn(drawn, DIM, 1, 1) if drawn == 1 else torch.randn(drawn, DIM, GRID, GRID + 1)

    logits, ious = decoder.decode(embeddings, positions, sparse, dense)

    their_logits, their_ious = sams_masks(decoder, embeddings, positions, sparse, dense)
    assert logits.shape == (3, 4 * GRID, 4 * (GRID + 1))
    assert apart(logits, their_logits) < CLOSE
    assert apart(ious, their_ious) < CLOSE


def test_masks_are_the_same_with_gradients(decoder: BatchMaskDecoder) -> None:
    parts = torch.randn(1, DIM, GRID, GRID), torch.randn(1, DIM, GRID, GRID), torch.randn(2, 2, DIM)
    dense = torch.zeros(1, DIM, 1, 1)
    without, _ = decoder.decode(*parts, dense)

    with torch.enable_grad():
        logits, ious = decoder.decode(*parts, dense)
        (logits.sum() + ious.sum()).backward()

    assert apart(logits.detach(), without) < CLOSE
    assert decoder.transformer.layers[0].cross_attn_token_to_image.k_proj.weight.grad is not None


def test_row_column_attention_in_many_pieces_has_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = RowColumnAttention(dim=DIM, heads=4)
    row, column, maps = torch.rand(2, 11, DIM), torch.rand(2, 11, DIM), torch.rand(3, 2, 5, 7, DIM)
    whole = layer(row, column, *maps)

    monkeypatch.setattr(rcda, "PIECE", 8 * 7 * DIM)

    assert apart(layer(row, column, *maps), whole) < CLOSE


def anchor_finder() -> AnchorFinder:
    return AnchorFinder(
        in_dim=8,
        dim=DIM,
        heads=4,
        ffn_dim=16,
        encoder_layers=1,
        decoder_layers=2,
        anchors=9,
        patterns=2,
        classes=2,
    ).eval()


def test_cellfinder_answers_the_same_with_gradients() -> None:
    finder, features = anchor_finder(), torch.randn(2, 8, 4, 5)
    without = finder(features)

    with torch.enable_grad():
        answer = finder(features)

    for ours, theirs in zip(without.layers, answer.layers, strict=True):
        assert apart(ours.logits, theirs.logits.detach()) < CLOSE
        assert apart(ours.boxes_cxcywh_unit, theirs.boxes_cxcywh_unit.detach()) < CLOSE


def test_cellfinder_sees_that_its_weights_were_changed() -> None:
    """Part of its work is kept between images."""
    finder, other, features = anchor_finder(), anchor_finder(), torch.randn(1, 8, 4, 5)
    finder(features)

    finder.load_state_dict(other.state_dict())

    assert torch.equal(finder(features).layers[-1].logits, other(features).layers[-1].logits)


def test_positions_follow_their_frequencies() -> None:
    encoder = BoxPromptEncoder(dim=8, grid=4, input_px=16, mask_in_channels=4, box_raster=False)
    before = encoder.positions()

    encoder.scale_frequencies(2.0)

    assert not torch.equal(encoder.positions(), before)
    assert torch.equal(encoder.positions(), encoder.get_dense_pe())


def test_constants_are_made_once_and_again_after_a_change() -> None:
    constants: Constants[int] = Constants()
    source, made = torch.zeros(3), [1, 2, 3]

    first = [constants.get([source], lambda: made.pop(0)) for _ in range(3)]
    source += 1
    second = [constants.get([source], lambda: made.pop(0)) for _ in range(2)]

    assert first == [1, 1, 1]
    assert second == [2, 2]


def test_constants_are_no_state_and_not_copied() -> None:
    finder, features = anchor_finder(), torch.randn(1, 8, 4, 5)
    names = set(finder.state_dict())
    finder(features)

    copied = copy.deepcopy(finder)
    copied.position.weight.mul_(0.5)

    assert set(finder.state_dict()) == names
    assert not torch.equal(copied(features).layers[-1].logits, finder(features).layers[-1].logits)


@pytest.mark.parametrize("stride", [1, 2])
def test_products_take_operands_that_lie_apart_in_memory(stride: int) -> None:
    x, weight = torch.randn(5, 8, 2)[..., 0], torch.randn(7, 16)[:, ::stride][:, :8]

    assert apart(linear(x, weight), x @ weight.T) < CLOSE
    assert apart(batched(x[None].expand(2, -1, -1), weight[None]), (x @ weight.T).expand(2, -1, -1)) < CLOSE


def test_products_take_no_rows() -> None:
    assert linear(torch.empty(0, 8), torch.randn(3, 8)).shape == (0, 3)


def test_attention_equals_the_definition() -> None:
    query, key, value = torch.randn(2, 5, 4), torch.randn(2, 7, 4), torch.randn(2, 7, 4)

    expected = (query @ key.transpose(1, 2) / 2).softmax(dim=-1) @ value

    assert apart(attend(query, key, value), expected) < CLOSE


def test_attention_in_double_precision_loses_none() -> None:
    query = torch.randn(1, 5, 4, dtype=torch.float64)

    expected = (query @ query.transpose(1, 2) / 2).softmax(dim=-1) @ query

    assert apart(attend(query, query, query), expected) < 1e-12
