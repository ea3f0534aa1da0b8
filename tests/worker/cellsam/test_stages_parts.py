"""What the two training stages are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from segment_anything.modeling import Sam
from torch import Tensor

from labeling.matching import Counts
from labeling.simulate import simulate
from worker.cellsam import PAPER, TINY, CellSAM
from worker.cellsam.__main__ import main
from worker.cellsam.boxes import centres, corners, iou_and_giou
from worker.cellsam.build import build
from worker.cellsam.cellfinder import DenseProposals, FinderOutput, Queries
from worker.cellsam.checkpoint import CheckpointError, state_hash
from worker.cellsam.config import CellSAMConfig, TilingConfig
from worker.cellsam.data.manifest import Entry
from worker.cellsam.sam_modules import ImageEncoderViT, MaskDecoder, PromptEncoder, TwoWayTransformer
from worker.cellsam.training.criterion import MeanCount, itself
from worker.cellsam.training.detr_criterion import DetrCriterion, focal_cost, focal_loss
from worker.cellsam.training.finder_stage import FinderStage, count_boxes
from worker.cellsam.training.matcher import HungarianMatcher
from worker.cellsam.training.neck_stage import NeckStage
from worker.cellsam.training.precision import Precision
from worker.cellsam.training.run_log import RunLog
from worker.cellsam.training.sam_weights import load_sam
from worker.cellsam.training.stages import Stage
from worker.cellsam.training.targets import Batch
from worker.cellsam.training.tiles import UNCHANGED, EpochOrder, Tiles, batches, cut, turn

MINIATURE = replace(
    PAPER,
    trunk=replace(
        PAPER.trunk, input_px=64, patch_px=8, dim=32, depth=2, heads=2, window=4, global_blocks=(1,)
    ),
    finder=replace(PAPER.finder, dim=32, heads=4, ffn_dim=32, encoder_layers=1, decoder_layers=2, queries=20),
    mask=replace(PAPER.mask, dim=32, mlp_dim=32, iou_hidden_dim=32),
    tiling=TilingConfig(tile_px=32, scale=2, overlap_px=8),
)
PEAKS = replace(MINIATURE, finder=replace(TINY.finder, dim=32, heads=2, ffn_dim=32, queries=16), colour=True)
CPU = torch.device("cpu")
PLAIN = Precision("fp32", CPU)


def fresh(config: CellSAMConfig) -> CellSAM:
    torch.manual_seed(0)
    return build(config)


def batch_of(*cells: int) -> Batch:
    """An image of 64 pixels for each number, with that many cells."""
    scenes = [simulate("nuclei", height=64, width=64, cells=max(1, n), seed=n) for n in cells]
    labels = np.stack(
        [np.where(scene.labels <= n, scene.labels, 0) for scene, n in zip(scenes, cells, strict=True)]
    )
    pixels = np.stack(
        [np.repeat(scene.image[:1].astype(np.float32) / np.float32(255), 3, axis=0) for scene in scenes]
    )
    return Batch.of(pixels, labels.astype(np.int32), origin=(0, 0), patch_px=8, input_px=64, device=CPU)


# The criterion


def test_focal_loss_is_the_papers() -> None:
    """-alpha_t (1 - p_t)^2 log p_t, by hand for p = 0.8."""
    logit = torch.tensor(0.8).logit()
    assert focal_loss(logit, torch.tensor(1.0)).item() == pytest.approx(
        -0.25 * 0.2**2 * np.log(0.8), rel=1e-4
    )
    assert focal_loss(logit, torch.tensor(0.0)).item() == pytest.approx(
        -0.75 * 0.8**2 * np.log(0.2), rel=1e-4
    )


def test_the_matching_prefers_the_score_where_boxes_are_equal() -> None:
    targets = torch.tensor([[0.2, 0.2, 0.1, 0.1], [0.7, 0.7, 0.2, 0.2]])
    boxes = torch.cat([targets, targets])

    ((query, target),) = HungarianMatcher(2, 5, 2, score_cost=focal_cost)(
        torch.tensor([[-3.0, 2.0, 1.0, -1.0]]), boxes[None], [targets]
    )

    assert dict(zip(target.tolist(), query.tolist(), strict=True)) == {0: 2, 1: 1}


def test_the_losses_have_the_papers_weights_and_are_per_cell() -> None:
    labels = np.zeros((1, 64, 64), dtype=np.int32)
    labels[0, 8:24, 8:24], labels[0, 32:56, 16:48] = 1, 2
    batch = Batch.of(
        np.zeros((1, 3, 64, 64), np.float32), labels, origin=(0, 0), patch_px=8, input_px=64, device=CPU
    )
    (true,) = batch.boxes_cxcywh_unit
    shifted = true + torch.tensor([0.05, 0, 0, 0])
    logits = torch.tensor([[[9.0, 2.0], [9.0, 1.0]]])  # only the last class means "cell"

    losses = DetrCriterion()(FinderOutput((Queries(logits, shifted[None]),)), batch)

    _, giou = iou_and_giou(corners(shifted), corners(true))
    silent = focal_loss(logits[0, :, 0], torch.zeros(2))
    spoken = focal_loss(logits[0, :, 1], torch.ones(2))
    assert losses["l1_0"].item() == pytest.approx(5 * 0.05, rel=1e-4)
    assert losses["giou_0"].item() == pytest.approx(2 * (1 - giou).mean().item(), rel=1e-4)
    assert losses["score_0"].item() == pytest.approx(2 * (silent + spoken).mean().item(), rel=1e-4)


def test_every_decoder_layer_has_its_losses_with_and_without_cells() -> None:
    batch = batch_of(3)
    queries = Queries(torch.zeros(1, 5, 1), torch.rand(1, 5, 4))
    dense = DenseProposals(torch.zeros(1, 64), torch.rand(1, 64, 4))
    output = FinderOutput((queries, queries), dense)

    losses = DetrCriterion()(output, batch)
    without = DetrCriterion()(output, batch_of(0))

    names = {f"{name}_{layer}" for name in ("score", "l1", "giou") for layer in (0, 1)}
    assert set(losses) == set(without) == names | {"heat", "dense_l1", "dense_giou"}
    assert without["l1_1"] == without["dense_giou"] == 0


def test_predictions_that_are_not_finite_reach_the_loss() -> None:
    queries = Queries(torch.full((1, 4, 1), torch.nan), torch.full((1, 4, 4), torch.nan))
    losses = DetrCriterion()(FinderOutput((queries,)), batch_of(2))
    assert losses["score_0"].isnan()


@pytest.mark.parametrize("config", [PEAKS, MINIATURE], ids=["peaks", "anchors"])
@pytest.mark.parametrize(
    "stage", [FinderStage(dropout=0), NeckStage(), NeckStage(decoder=True)], ids=["finder", "neck", "decoder"]
)
def test_unequal_parts_of_a_batch_add_up_to_its_gradient(
    stage: FinderStage | NeckStage, config: CellSAMConfig
) -> None:
    """What processes do: each normalises by the mean count over all of them, then gradients are averaged."""
    parts = [batch_of(5, 2), batch_of(1, 0)]
    model = fresh(config)
    stage.prepare(model)
    counts: list[list[float]] = []
    for part in parts:
        seen: list[float] = []
        gradient(stage, model, part, partial(remember, seen))
        counts.append(seen)
    means = [(one + other) / 2 for one, other in zip(*counts, strict=True)]

    halves = [gradient(stage, model, part, partial(take, iter(means))) for part in parts]

    together = gradient(stage, model, batch_of(5, 2, 1, 0), itself)
    largest = float(together.abs().max())
    assert largest > 0
    assert torch.allclose((halves[0] + halves[1]) / 2, together, atol=1e-4 * largest)


def gradient(stage: Stage, model: CellSAM, batch: Batch, mean_count: MeanCount) -> Tensor:
    model.zero_grad()
    torch.stack(list(stage.losses(model, batch, PLAIN, mean_count).values())).sum().backward()
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in model.parameters()]
    return torch.cat([gradient.flatten() for gradient in gradients])


def remember(seen: list[float], count: float) -> float:
    seen.append(count)
    return count


def take(means: Iterator[float], _: float) -> float:
    return next(means)


def test_boxes_are_counted_one_to_one() -> None:
    true = centres(torch.tensor([[0.0, 0, 10, 10], [20, 20, 30, 30]]))
    found = centres(torch.tensor([[0.0, 0, 10, 11], [0, 0, 10, 10], [50, 50, 60, 60]]))
    assert count_boxes(found, true) == Counts(1, 2, 1)
    assert count_boxes(found[:0], true) == Counts(0, 0, 2)
    assert count_boxes(found, true[:0]) == Counts(0, 3, 0)


# Images


def entry(folder: Path, pixels: np.ndarray, labels: np.ndarray) -> Entry:
    """A prepared tile: (3, H, W) and (1, H, W)."""
    image, truth = folder / "image.npy", folder / "labels.npy"
    np.save(image, pixels.astype(np.float32))
    np.save(truth, labels.astype(np.int32)[None])
    return Entry("prepared", "tissue", "train", image, truth, "CC0-1.0", "one")


def scene(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    made = simulate("nuclei", height=height, width=width, cells=12, seed=3)
    pixels = np.zeros((3, height, width), dtype=np.float32)
    pixels[2] = made.image[0] / 255
    return pixels, made.labels


def test_prepared_tiles_become_model_input_with_labels_at_its_resolution(tmp_path: Path) -> None:
    tiles = Tiles([entry(tmp_path, *scene(40, 50))], MINIATURE, seed=0)

    ((batch,)) = list(batches(tiles, [[(0, 0), (1, 0)]], workers=0, device=CPU))

    assert batch.pixels.shape == (2, 3, 64, 64)
    assert batch.labels.shape == (2, 64, 64)
    for labels, boxes in zip(batch.labels.numpy(), batch.boxes_xyxy, strict=True):
        assert np.array_equal(np.unique(labels)[1:], np.arange(1, len(boxes) + 1))
        assert (labels == np.kron(labels[::2, ::2], np.ones((2, 2), int))).all()


def test_reading_processes_see_what_one_process_sees(tmp_path: Path) -> None:
    tiles = Tiles([entry(tmp_path, *scene(40, 50))], MINIATURE, seed=0)
    alone, ahead = (
        next(batches(tiles, [[(3, 0), (4, 0)]], workers=workers, device=CPU)) for workers in (0, 1)
    )
    assert torch.equal(alone.pixels, ahead.pixels)
    assert torch.equal(alone.labels, ahead.labels)


def test_tiles_differ_by_epoch_alone(tmp_path: Path) -> None:
    tiles = Tiles([entry(tmp_path, *scene(40, 50))], MINIATURE, seed=0)
    again = Tiles(tiles.entries, MINIATURE, seed=0)

    seen = [tiles[epoch, 0] for epoch in range(6)]

    assert len({pixels.tobytes() for pixels, _ in seen}) > 3
    assert all(np.array_equal(again[epoch, 0][1], labels) for epoch, (_, labels) in enumerate(seen))
    assert np.array_equal(tiles[UNCHANGED, 0][0], again[UNCHANGED, 0][0])


def test_pixels_and_labels_are_turned_together() -> None:
    labels = np.arange(16, dtype=np.int32).reshape(4, 4)
    pixels = np.stack([labels.astype(np.float32)] * 3)

    turned = [turn(pixels, labels, which) for which in range(8)]

    assert all(np.array_equal(moved[0], after) for moved, after in turned)
    assert len({after.tobytes() for _, after in turned}) == 8
    assert np.array_equal(turned[0][1], labels)


def test_a_cut_is_a_square_anywhere_in_the_image_and_mirrors_a_small_one() -> None:
    labels = np.arange(48, dtype=np.int32).reshape(6, 8)
    pixels = np.stack([labels.astype(np.float32)] * 3)

    corners = [cut(pixels, labels, 4, where=where)[1][0, 0] for where in ((0, 0), (0.999, 0), (0, 0.999))]
    assert corners == [0, 16, 4]

    wide, both = cut(pixels, labels, 9, where=(0.5, 0.5))
    assert wide.shape == (3, 9, 9)
    assert both[6:, 0].tolist() == labels[[4, 3, 2], 0].tolist()


def test_processes_take_together_what_one_takes_with_a_larger_batch() -> None:
    one = EpochOrder(images=11, batch=4, seed=5)
    two = [EpochOrder(images=11, batch=2, seed=5, rank=rank, processes=2) for rank in (0, 1)]

    assert one.steps == two[0].steps == 2
    assert one.keys(3) == [a + b for a, b in zip(two[0].keys(3), two[1].keys(3), strict=True)]
    assert one.keys(3)[1:] == one.keys(3, first_step=1)
    assert one.keys(3) != one.keys(4)
    assert [len(step) for step in EpochOrder(images=3, batch=8, seed=0).keys(0)] == [8]


# Weights, precision, logs


def sam() -> Sam:
    """Segment Anything's own model, in miniature."""
    torch.manual_seed(1)
    trunk, mask = MINIATURE.trunk, MINIATURE.mask
    return Sam(
        ImageEncoderViT(
            img_size=trunk.input_px,
            patch_size=trunk.patch_px,
            embed_dim=trunk.dim,
            depth=trunk.depth,
            num_heads=trunk.heads,
            out_chans=mask.dim,
            use_rel_pos=True,
            window_size=trunk.window,
            global_attn_indexes=trunk.global_blocks,
        ),
        PromptEncoder(mask.dim, (8, 8), (64, 64), 16),
        MaskDecoder(
            transformer_dim=mask.dim,
            transformer=TwoWayTransformer(2, mask.dim, mask.heads, mask.mlp_dim),
            iou_head_hidden_dim=mask.iou_hidden_dim,
        ),
    )


@torch.no_grad()
def test_sams_weights_are_taken_as_they_are(tmp_path: Path) -> None:
    original, model = sam().eval(), fresh(MINIATURE).eval()
    finder = state_hash(model.finder.state_dict())
    torch.save(original.state_dict(), tmp_path / "sam.pth")

    load_sam(model, tmp_path / "sam.pth")

    pixels = torch.rand(1, 3, 64, 64)
    normal = (pixels * 255 - original.pixel_mean) / original.pixel_std
    assert torch.allclose(model.neck(model.trunk(pixels)), original.image_encoder(normal), atol=1e-4)
    for ours, theirs in (
        (model.prompt_encoder, original.prompt_encoder),
        (model.mask_decoder, original.mask_decoder),
    ):
        assert state_hash(ours.state_dict()) == state_hash(theirs.state_dict())
    assert state_hash(model.finder.state_dict()) == finder


def test_sam_weights_that_do_not_fit_are_named_in_sams_words(tmp_path: Path) -> None:
    weights = sam().state_dict()
    missing = {
        name: tensor for name, tensor in weights.items() if name != "image_encoder.blocks.1.attn.qkv.bias"
    }
    torch.save(missing, tmp_path / "missing.pth")
    torch.save(weights | {"image_encoder.extra": torch.ones(1)}, tmp_path / "extra.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    (tmp_path / "letter.pth").write_text("Dear all")

    for name, reason in (
        ("missing", r"missing: image_encoder\.blocks\.1\.attn\.qkv\.bias"),
        ("extra", r"unexpected: image_encoder\.extra"),
        ("list", "not a state dict"),
        ("letter", "not a PyTorch weight file"),
        ("absent", "no such weight file"),
    ):
        with pytest.raises(CheckpointError, match=rf"{name}\.pth.*{reason}"):
            load_sam(fresh(MINIATURE), tmp_path / f"{name}.pth")


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    torch.save({"weights": Trap(touched)}, tmp_path / "trap.pth")

    with pytest.raises(CheckpointError, match=r"trap\.pth"):
        load_sam(fresh(MINIATURE), tmp_path / "trap.pth")

    assert not touched.exists()


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_a_command_with_unusable_weights_says_so_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", str(tmp_path), "--out", str(tmp_path / "run"), "--epochs", "1"]
    for command in (
        ["train-finder", "--model", "tiny", "--sam"],
        ["train-finder", "--weights"],
        ["train-neck", "--weights"],
    ):
        assert main([*command, str(tmp_path / "absent"), *words]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert "no such weight file" in error


def test_float16_alone_scales_its_loss() -> None:
    assert {name: Precision(name, CPU).scaler().is_enabled() for name in ("fp32", "bf16", "fp16")} == {
        "fp32": False,
        "bf16": False,
        "fp16": True,
    }
    assert Precision.of("auto", CPU).name == "fp32"
    with Precision("bf16", CPU).autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16


def test_rows_after_the_last_snapshot_are_forgotten(tmp_path: Path) -> None:
    with RunLog(tmp_path, step=0) as log:
        for step in (1, 2, 3):
            log.add("steps", step, {"loss": step / 3})

    with RunLog(tmp_path, step=2) as log:
        log.add("steps", 3, {"loss": 7.0})

    assert (tmp_path / "steps.csv").read_text().splitlines() == [
        "step,loss",
        "1,0.33333333",
        "2,0.66666667",
        "3,7",
    ]
