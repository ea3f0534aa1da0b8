"""The paper's two training stages, on models and images so small that a step takes milliseconds."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tensorboardX.proto import event_pb2
from torch import Tensor

from labeling.simulate import simulate
from worker.cellsam import PAPER, TINY, CellSAM, load
from worker.cellsam.__main__ import main
from worker.cellsam.build import build
from worker.cellsam.checkpoint import Card, CheckpointError, read_card, save, state_hash
from worker.cellsam.config import CellSAMConfig, TilingConfig
from worker.cellsam.training.criterion import Losses, MeanCount
from worker.cellsam.training.finder_stage import FinderStage
from worker.cellsam.training.neck_stage import NeckStage
from worker.cellsam.training.precision import Precision
from worker.cellsam.training.stages import StageRun, rate_factor, train_stage
from worker.cellsam.training.targets import Batch
from worker.cellsam.training.trainer import TrainingError

MASK = replace(TINY.mask, dim=32, mlp_dim=32, iou_hidden_dim=32)
PEAKS = replace(
    TINY,
    name="miniature_peaks",
    trunk=replace(
        TINY.trunk,
        input_px=64,
        dim=32,
        depth=2,
        heads=2,
        window=4,
        global_blocks=(1,),
        stem_widths=(8, 16, 32),
        stem_blocks=(0, 0, 0),
    ),
    finder=replace(TINY.finder, dim=32, heads=2, ffn_dim=32, queries=16),
    mask=MASK,
    tiling=TilingConfig(tile_px=64, scale=1, overlap_px=16),
)
ANCHORS = replace(
    PAPER,
    name="miniature_anchors",
    trunk=replace(
        PAPER.trunk, input_px=64, patch_px=8, dim=32, depth=2, heads=2, window=4, global_blocks=(1,)
    ),
    finder=replace(PAPER.finder, dim=32, heads=4, ffn_dim=32, encoder_layers=1, decoder_layers=2, queries=20),
    mask=MASK,
    tiling=TilingConfig(tile_px=32, scale=2, overlap_px=8),
)
FINDERS = pytest.mark.parametrize("config", [PEAKS, ANCHORS], ids=["peaks", "anchors"])
QUICK_FINDER = FinderStage(head_rate=2e-3, trunk_rate=1e-3)
QUICK_NECK = NeckStage(rate=3e-3, prompts=8)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six images in the manifest's format. Those of the test split do not exist: opening one would fail."""
    folder = tmp_path_factory.mktemp("data")
    rows = []
    for seed, split in enumerate(["train"] * 4 + ["val"] * 2):
        image = simulate("nuclei", height=64, width=72, cells=6, seed=seed)
        Image.fromarray(image.image[0]).save(folder / f"{seed}.png")
        Image.fromarray(image.labels.astype(np.uint16)).save(folder / f"{seed}_labels.png")
        rows.append(["sim", "fluorescence", split, f"{seed}.png", f"{seed}_labels.png", "CC0-1.0", str(seed)])
    rows.append(["sim", "fluorescence", "test", "absent.png", "absent_labels.png", "CC0-1.0", "test"])
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["dataset", "modality", "split", "image", "labels", "licence", "group"])
        writer.writerows(rows)
    return folder


def fresh(config: CellSAMConfig) -> CellSAM:
    torch.manual_seed(0)
    return build(config)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def timeless(path: Path) -> list[dict[str, str]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows(path)]


@FINDERS
def test_stage_one_learns_to_find(config: CellSAMConfig, data: Path, tmp_path: Path) -> None:
    run = StageRun(data, tmp_path, epochs=10)

    assert train_stage(run, QUICK_FINDER, fresh(config))

    epochs = rows(tmp_path / "epochs.csv")
    assert len(epochs) == 10
    assert float(epochs[-1]["loss"]) < 0.9 * float(epochs[0]["loss"])
    assert float(epochs[-1]["val_loss"]) < float(epochs[0]["val_loss"])
    assert {"score_0", "l1_0", "giou_1", "val_f1"} <= set(epochs[0])


def test_stage_two_learns_masks_and_moves_the_neck_alone(data: Path, tmp_path: Path) -> None:
    model = fresh(PEAKS)
    before = {name: state_hash(part.state_dict()) for name, part in model.named_children()}

    train_stage(StageRun(data, tmp_path, epochs=6), QUICK_NECK, model)

    after = {name: state_hash(part.state_dict()) for name, part in model.named_children()}
    assert {name for name in before if before[name] != after[name]} == {"neck"}
    epochs = rows(tmp_path / "epochs.csv")
    assert float(epochs[-1]["loss"]) < float(epochs[0]["loss"])
    assert float(epochs[-1]["val_loss"]) < float(epochs[0]["val_loss"])
    assert {"val_f1", "val_iou"} <= set(epochs[0])


def test_stage_two_may_train_the_decoder_of_a_model_from_scratch(data: Path, tmp_path: Path) -> None:
    model = fresh(ANCHORS)
    before = {name: state_hash(part.state_dict()) for name, part in model.named_children()}

    train_stage(StageRun(data, tmp_path, epochs=1), replace(QUICK_NECK, decoder=True), model)

    moved = {name for name, part in model.named_children() if state_hash(part.state_dict()) != before[name]}
    assert moved == {"neck", "prompt_encoder", "mask_decoder"}


def test_the_papers_rates_decay_and_clipping() -> None:
    model = fresh(ANCHORS)

    finder, trunk = FinderStage().prepare(model)
    of_finder = {id(parameter) for parameter in model.finder.parameters()}
    of_trunk = {id(parameter) for parameter in model.trunk.parameters()}

    assert (finder["lr"], finder["weight_decay"]) == (1e-4, 1e-4)
    assert (trunk["lr"], trunk["weight_decay"]) == (1e-5, 1e-4)
    assert {id(parameter) for parameter in finder["params"]} == of_finder
    assert {id(parameter) for parameter in trunk["params"]} == of_trunk
    assert FinderStage().clip == 0.1
    assert {id(p) for p in model.parameters() if p.requires_grad} == of_finder | of_trunk

    (neck,) = NeckStage().prepare(model)

    assert (neck["lr"], neck["weight_decay"], NeckStage().clip) == (1e-4, 1e-4, None)
    assert {id(p) for p in model.parameters() if p.requires_grad} == {id(p) for p in model.neck.parameters()}


@FINDERS
def test_dropout_is_there_in_training_alone(config: CellSAMConfig) -> None:
    model = fresh(config)
    FinderStage(dropout=0.5).prepare(model)
    features = torch.rand(1, 32, 8, 8)

    training = model.train()
    one, other = (training.find(features).boxes_cxcywh_unit for _ in range(2))
    # Untrained heads answer 0 whatever they are given.
    with torch.no_grad():
        for parameter in model.finder.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    one, other = (training.find(features).boxes_cxcywh_unit for _ in range(2))
    assert not torch.equal(one, other)

    still = model.eval()
    one, other = (still.find(features).boxes_cxcywh_unit for _ in range(2))
    assert torch.equal(one, other)


def test_the_rate_falls_after_seventy_per_cent_of_the_epochs(data: Path, tmp_path: Path) -> None:
    assert [rate_factor(epoch, 10, 0.9) for epoch in (0, 6, 7, 9)] == [1, 1, 0.9, 0.9]
    assert [rate_factor(epoch, 90, 0.1) for epoch in (62, 63)] == [
        1,
        0.1,
    ]  # 0.7 * 90 is less than 63 in floats

    train_stage(StageRun(data, tmp_path, epochs=4), FinderStage(), fresh(PEAKS))

    epochs = rows(tmp_path / "epochs.csv")
    assert [float(row["rate_finder"]) for row in epochs] == pytest.approx([1e-4, 1e-4, 1e-4, 0.9e-4])
    assert [float(row["rate_trunk"]) for row in epochs] == pytest.approx([1e-5, 1e-5, 1e-5, 0.9e-5])


@pytest.mark.parametrize("stage", [QUICK_FINDER, QUICK_NECK], ids=["finder", "neck"])
def test_a_run_in_pieces_is_the_run_in_one(
    stage: FinderStage | NeckStage, data: Path, tmp_path: Path
) -> None:
    whole, pieces = (StageRun(data, tmp_path / name, epochs=3, log_every=1) for name in ("whole", "pieces"))
    train_stage(whole, stage, fresh(PEAKS))

    # No time at all is left after each single step, in the middle of an epoch and at its end.
    stopped = 0
    while not train_stage(replace(pieces, minutes=0), stage, fresh(PEAKS)):
        stopped += 1

    assert stopped == 6
    for log in ("steps.csv", "epochs.csv"):
        assert timeless(pieces.out / log) == timeless(whole.out / log)
    for file in ("model.safetensors", "best.safetensors"):
        assert state_hash(load(pieces.out / file).state_dict()) == state_hash(
            load(whole.out / file).state_dict()
        )


@dataclass(frozen=True)
class Killed(FinderStage):
    """Dies in the middle of the second epoch, after rows were logged that no snapshot knows of."""

    def losses(self, model: CellSAM, batch: Batch, precision: Precision, mean_count: MeanCount) -> Losses:
        if len(steps) == 3:
            raise KeyboardInterrupt
        steps.append(1)
        return super().losses(model, batch, precision, mean_count)


steps: list[int] = []


def test_a_killed_run_repeats_what_it_lost(data: Path, tmp_path: Path) -> None:
    whole, killed = (StageRun(data, tmp_path / name, epochs=3, log_every=1) for name in ("whole", "killed"))
    train_stage(whole, FinderStage(), fresh(PEAKS))
    steps.clear()
    with pytest.raises(KeyboardInterrupt):
        train_stage(killed, Killed(), fresh(PEAKS))
    assert [row["step"] for row in rows(killed.out / "steps.csv")] == ["1", "2", "3"]

    train_stage(killed, FinderStage(), fresh(PEAKS))

    assert timeless(killed.out / "steps.csv") == timeless(whole.out / "steps.csv")
    assert timeless(killed.out / "epochs.csv") == timeless(whole.out / "epochs.csv")


def test_a_run_with_other_settings_is_not_gone_on_with(data: Path, tmp_path: Path) -> None:
    run = StageRun(data, tmp_path, epochs=2, minutes=0)
    train_stage(run, FinderStage(), fresh(PEAKS))

    with pytest.raises(CheckpointError, match="another stage settings, seed: repeat"):
        train_stage(replace(run, seed=1), FinderStage(dropout=0), fresh(PEAKS))
    with pytest.raises(CheckpointError, match="another stage, "):
        train_stage(run, NeckStage(), fresh(PEAKS))


def test_a_loss_that_is_not_finite_ends_the_run_with_a_reason(data: Path, tmp_path: Path) -> None:
    for config in (PEAKS, ANCHORS):
        model = fresh(config)
        with torch.no_grad():
            model.trunk.pos_embed.fill_(torch.nan)

        with pytest.raises(TrainingError, match=r"loss is not finite in step 0 \(score_0.*damaged") as error:
            train_stage(StageRun(data, tmp_path / config.name, epochs=1), FinderStage(), model)

        assert "\n" not in str(error.value)
        assert not (tmp_path / config.name / "state.safetensors").exists()


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("stage", [QUICK_FINDER, QUICK_NECK], ids=["finder", "neck"])
def test_mixed_precision_trains_and_goes_on(
    precision: str, stage: FinderStage | NeckStage, data: Path, tmp_path: Path
) -> None:
    run = StageRun(data, tmp_path, epochs=2, precision=precision)  # type: ignore[arg-type]
    assert not train_stage(replace(run, minutes=0), stage, fresh(PEAKS))
    assert train_stage(run, stage, fresh(PEAKS))

    assert all(float(row["loss"]) > 0 for row in rows(tmp_path / "epochs.csv"))
    saved = load_file(tmp_path / "state.safetensors")
    assert all(tensor.dtype == torch.float32 for tensor in saved.values())


def test_recomputing_activations_changes_no_result(data: Path, tmp_path: Path) -> None:
    kept, again = (StageRun(data, tmp_path / name, epochs=1, log_every=1) for name in ("kept", "again"))
    train_stage(kept, FinderStage(), fresh(ANCHORS))
    train_stage(replace(again, recompute=True), FinderStage(), fresh(ANCHORS))

    norms = [[float(row["gradient_norm"]) for row in rows(run.out / "steps.csv")] for run in (kept, again)]
    assert norms[0] == pytest.approx(norms[1], rel=1e-4)


def test_images_without_cells_train_both_stages(data: Path, tmp_path: Path) -> None:
    empty = tmp_path / "data"
    empty.mkdir()
    lines = (data / "manifest.csv").read_text().splitlines()
    (empty / "manifest.csv").write_text("\n".join(lines[:5] + lines[5:7]) + "\n")
    for seed in range(6):
        Image.fromarray(np.full((64, 64), 9, dtype=np.uint8)).save(empty / f"{seed}.png")
        Image.fromarray(np.zeros((64, 64), dtype=np.uint16)).save(empty / f"{seed}_labels.png")

    for stage in (FinderStage(), NeckStage()):
        for config in (PEAKS, ANCHORS):
            run = StageRun(empty, tmp_path / stage.name / config.name, epochs=1)
            assert train_stage(run, stage, fresh(config))


def test_the_best_model_and_what_it_came_from_are_kept(data: Path, tmp_path: Path) -> None:
    reported: list[tuple[int, float]] = []
    run = StageRun(data, tmp_path, epochs=3, card=Card({"start": {"file": "sam.pth"}}, licence="CC0-1.0"))
    train_stage(
        run,
        QUICK_FINDER,
        fresh(ANCHORS),
        report=lambda epoch, figures: reported.append((epoch, figures["val_loss"])),
    )

    config, card = read_card(tmp_path / "best.safetensors")

    assert config == ANCHORS
    assert [epoch for epoch, _ in reported] == [1, 2, 3]
    assert card.metrics["validation"]["val_loss"] == pytest.approx(
        min(loss for _, loss in reported), abs=1e-3
    )
    assert card.training["start"] == {"file": "sam.pth"}
    assert card.training["data"] == {"sim": "CC0-1.0"}
    assert card.training["settings"]["head_rate"] == QUICK_FINDER.head_rate
    assert card.licence == "CC0-1.0"


def test_tensorboard_is_given_the_same_figures(data: Path, tmp_path: Path) -> None:
    train_stage(StageRun(data, tmp_path, epochs=2, log_every=1), FinderStage(), fresh(PEAKS))

    (file,) = (tmp_path / "tensorboard").iterdir()
    scalars = {
        (value.tag, event.step): value.simple_value for event in events(file) for value in event.summary.value
    }

    for row in rows(tmp_path / "steps.csv"):
        assert scalars["steps/score_0", int(row["step"])] == pytest.approx(float(row["score_0"]), rel=1e-6)
    last = rows(tmp_path / "epochs.csv")[-1]
    assert scalars["epochs/val_f1", 4] == pytest.approx(float(last["val_f1"]))


def events(path: Path) -> Iterator[event_pb2.Event]:
    """TFRecord: 8 bytes length, 4 of its checksum, the message, 4 of its checksum."""
    content = path.read_bytes()
    at = 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 8], "little")
        yield event_pb2.Event.FromString(content[at + 12 : at + 12 + length])
        at += 16 + length


def test_two_processes_have_the_gradient_of_one_with_twice_the_batch(data: Path, tmp_path: Path) -> None:
    """Through torchrun and the command line, so none of our options may be the beginning of one of torchrun's.

    AdamW's first moment is the gradient, after clipping, of its only step.
    """
    save(fresh(PEAKS), tmp_path / "start.safetensors", card=Card(), half=False)
    words = ["train-finder", "--data", str(data), "--weights", str(tmp_path / "start.safetensors")]
    words += ["--epochs", "1", "--dropout", "0", "--log-every", "1"]
    one, two = tmp_path / "one", tmp_path / "two"
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run(
        [sys.executable, *torchrun, "-m", "worker.cellsam", *words, "--batch", "2", "--out", str(two)],
        check=False,  # Gloo's threads may abort a process at its very end; what was written is checked below
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )

    assert main([*words, "--batch", "4", "--out", str(one)]) == 0

    alone, together = (gradients(folder / "state.safetensors") for folder in (one, two))
    assert alone.keys() == together.keys()
    largest = max(float(gradient.abs().max()) for gradient in alone.values())
    assert largest > 0
    for name, gradient in alone.items():
        assert torch.allclose(together[name], gradient, rtol=1e-3, atol=1e-4 * largest), name
    (of_one,), (of_two,) = (timeless(folder / "epochs.csv") for folder in (one, two))
    assert list(of_one) == list(of_two)
    for name, value in of_one.items():
        assert float(of_two[name]) == pytest.approx(float(value), rel=1e-3, abs=1e-6), name


def gradients(state: Path) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in load_file(state).items() if name.endswith("exp_avg")}


def test_the_second_command_goes_on_from_the_first_ones_weights(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(fresh(PEAKS), tmp_path / "start.safetensors", card=Card(), half=False)
    common = ["--data", str(data), "--epochs", "1", "--batch", "4"]
    finder, neck = tmp_path / "finder", tmp_path / "neck"

    first = ["train-finder", *common, "--weights", str(tmp_path / "start.safetensors"), "--out", str(finder)]
    assert main([*first, "--minutes", "0"]) == 0
    assert "repeat the command" in capsys.readouterr().out
    assert main(first) == 0
    assert (
        main(["train-neck", *common, "--weights", str(finder / "best.safetensors"), "--out", str(neck)]) == 0
    )

    printed = capsys.readouterr()
    assert printed.out.splitlines() == [str(finder / "best.safetensors"), str(neck / "best.safetensors")]
    assert printed.err.count("epoch 1  loss ") == 2
    trunks = [load(folder / "best.safetensors").trunk.state_dict() for folder in (finder, neck)]
    assert state_hash(trunks[0]) == state_hash(trunks[1])
    training = read_card(neck / "best.safetensors")[1].training
    assert training["stage"] == "neck"
    assert training["start"]["training"]["stage"] == "finder"


def test_a_file_that_is_no_state_is_named(data: Path, tmp_path: Path) -> None:
    for content in (
        b"Dear all",
        (Path(__file__).parents[3] / "worker" / "weights" / "tiny.safetensors").read_bytes(),
    ):
        (tmp_path / "state.safetensors").write_bytes(content)
        with pytest.raises(CheckpointError, match=r"state\.safetensors is not a training state"):
            train_stage(StageRun(data, tmp_path, epochs=1), FinderStage(), fresh(PEAKS))
