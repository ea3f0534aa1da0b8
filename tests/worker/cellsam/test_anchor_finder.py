from __future__ import annotations

import pytest
import torch

from worker.cellsam import PAPER
from worker.cellsam.anchor_finder import AnchorFinder, sine_features, sine_features_2d
from worker.cellsam.build import build
from worker.cellsam.rcda import RowColumnAttention


def small_finder() -> AnchorFinder:
    torch.manual_seed(0)
    return AnchorFinder(
        in_dim=24,
        dim=32,
        heads=4,
        ffn_dim=48,
        encoder_layers=2,
        decoder_layers=3,
        anchors=20,
        patterns=2,
        classes=2,
    )


def test_each_pattern_of_each_anchor_is_a_query() -> None:
    output = small_finder()(torch.rand(2, 24, 8, 8))

    assert len(output.layers) == 3
    assert output.layers[-1].logits.shape == (2, 40, 2)
    assert output.boxes_cxcywh_unit.shape == (2, 40, 4)
    assert output.scores.shape == (2, 40)


def test_it_takes_any_grid() -> None:
    assert small_finder()(torch.rand(1, 24, 5, 9)).scores.shape == (1, 40)


def test_untrained_boxes_start_at_their_anchors() -> None:
    finder = small_finder()

    boxes = finder(torch.rand(1, 24, 8, 8)).boxes_cxcywh_unit[0]

    assert torch.allclose(boxes[:20, :2], finder.position.weight, atol=1e-4)
    assert torch.allclose(boxes[20:, :2], finder.position.weight, atol=1e-4)


def test_it_refuses_windows() -> None:
    with pytest.raises(ValueError, match="full input"):
        small_finder()(torch.rand(1, 24, 4, 4), (2, 2))


def test_row_column_attention_equals_the_definition() -> None:
    """Softmax along the width and along the height apart, with keys averaged after their projection."""
    torch.manual_seed(0)
    attention = RowColumnAttention(dim=8, heads=2)
    query_row, query_column = torch.rand(1, 5, 8), torch.rand(1, 5, 8)
    key_row, key_column, value = (torch.rand(1, 3, 4, 8) for _ in range(3))
    weights, biases = attention.in_proj_weight.chunk(5), attention.in_proj_bias.chunk(5)
    projected = [
        x @ w.T + b
        for x, w, b in zip(
            (query_row, query_column, key_row, key_column, value), weights, biases, strict=True
        )
    ]
    heads = []
    for part in (slice(0, 4), slice(4, 8)):
        q_row, q_column, k_row, k_column, v = (x[..., part] for x in projected)
        along_width = (q_row @ k_row.mean(1).transpose(1, 2) / 2).softmax(-1)
        along_height = (q_column @ k_column.mean(2).transpose(1, 2) / 2).softmax(-1)
        heads.append(torch.einsum("bqh,bqw,bhwd->bqd", along_height, along_width, v))

    expected = attention.out_proj(torch.cat(heads, dim=-1))

    found = attention(query_row, query_column, key_row, key_column, value)
    assert torch.allclose(found, expected, atol=1e-6)


def test_sine_features_interleave_sine_and_cosine_and_put_y_first() -> None:
    one = sine_features(torch.tensor([0.25]), 4)
    assert torch.allclose(one[0, :2], torch.tensor([1.0, 0.0]), atol=1e-6)  # sin and cos of a quarter turn

    both = sine_features_2d(torch.tensor([[0.25, 0.5]]), 4)
    assert torch.allclose(both[0, :4], sine_features(torch.tensor([0.5]), 4)[0])
    assert torch.allclose(both[0, 4:], one[0])


def test_the_papers_model_has_the_published_sizes() -> None:
    with torch.device("meta"):
        model = build(PAPER)
    parameters = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}

    assert model.finder.position.weight.shape == (3500, 2)  # type: ignore[union-attr]
    assert parameters["finder"] == pytest.approx(13.2e6, rel=0.01)
    assert parameters["trunk"] + parameters["neck"] == pytest.approx(89.67e6, rel=0.001)
    assert parameters["mask_decoder"] == pytest.approx(4.06e6, rel=0.01)
