"""The engine runs the trunk once for an image, and never for a box, a tuning run or a comparison."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from labeling.gate import ImageScore
from tests.scenes import Scene, nuclei
from worker.cellsam import load
from worker.cellsam.checkpoint import state_hash
from worker.cellsam.evaluate import Sample
from worker.cellsam.finetune import TuningConfig, TuningError, TuningSample
from worker.engine import Engine, FeaturesMissing, Prompt
from worker.features import FeatureStore
from worker.weights import VersionWeights, WeightFile

QUICK = TuningConfig(steps=4, check_every=2, max_validation_cells=10)


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> VersionWeights:
    """The model that we ship."""
    path = tmp_path_factory.mktemp("weights") / "base.safetensors"
    path.write_bytes(Path(settings.CELLLOOP_WEIGHTS).read_bytes())
    file = WeightFile(path, hashlib.sha256(path.read_bytes()).hexdigest())
    model = load(path)
    return VersionWeights(file, None, state_hash(model.neck.state_dict()), model.config.thresholds.box)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return new_engine(tmp_path)


def new_engine(folder: Path) -> Engine:
    return Engine(features=FeatureStore(folder / "features", budget_bytes=2**30), device="cpu")


def key(number: int) -> str:
    return f"{number:064x}"


def source(scene: Scene) -> Callable[[], tuple[np.ndarray, tuple[str, ...]]]:
    return lambda: (scene.image, ("nuclear",))


def unreadable() -> tuple[np.ndarray, tuple[str, ...]]:
    raise AssertionError("the image was read although its features are cached")


def prompt(scene: Scene, index: int = 0) -> Prompt:
    return Prompt(box=scene.masks[index].box)


def test_it_works(engine: Engine, version: VersionWeights) -> None:
    scene = nuclei(1)
    told: list[float] = []
    found = engine.segment(key(1), source(scene), version, progress=told.append)
    assert len(found.masks) >= 6
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_box_gives_the_cell_in_it(engine: Engine, version: VersionWeights) -> None:
    scene = nuclei(1)
    engine.embed(key(1), source(scene), version)
    decoded = engine.decode(key(1), prompt(scene), version)
    assert decoded.mask.iou(scene.masks[0]) > 0.6
    assert 0 < decoded.model_s < 30


def test_the_trunk_runs_once_for_an_image(engine: Engine, version: VersionWeights) -> None:
    scene, predictor = nuclei(1), engine.predictor(version)
    engine.embed(key(1), source(scene), version)
    calls = predictor.trunk_calls
    assert calls > 0
    engine.segment(key(1), unreadable, version)
    for index in range(3):
        engine.decode(key(1), prompt(scene, index), version)
    assert predictor.trunk_calls == calls


def test_another_process_uses_the_same_features(version: VersionWeights, tmp_path: Path) -> None:
    scene, other = nuclei(1), new_engine(tmp_path)
    new_engine(tmp_path).embed(key(1), source(scene), version)
    other.decode(key(1), prompt(scene), version)
    assert other.predictor(version).trunk_calls == 0


def test_a_box_on_an_unknown_image_says_so(engine: Engine, version: VersionWeights) -> None:
    with pytest.raises(FeaturesMissing):
        engine.decode(key(9), prompt(nuclei(1)), version)


def test_corrupt_features_are_computed_again(version: VersionWeights, tmp_path: Path) -> None:
    scene = nuclei(1)
    new_engine(tmp_path).embed(key(1), source(scene), version)
    (path,) = tmp_path.glob("features/*/*.features")
    path.write_bytes(path.read_bytes()[:-100])
    engine = new_engine(tmp_path)
    with pytest.raises(FeaturesMissing):
        engine.decode(key(1), prompt(scene), version)
    engine.embed(key(1), source(scene), version)
    assert engine.decode(key(1), prompt(scene), version).mask.area > 0


def test_tuning_and_comparing_run_no_trunk(engine: Engine, version: VersionWeights) -> None:
    scenes = [nuclei(seed, side=128, cells=6) for seed in range(4)]
    features = [engine.embed(key(i), source(scene), version) for i, scene in enumerate(scenes)]
    predictor = engine.predictor(version)
    calls = predictor.trunk_calls
    samples = [TuningSample(f, scene.masks) for f, scene in zip(features[:3], scenes[:3], strict=True)]
    tuned = engine.tune(version.base, samples, QUICK)
    held_out = [Sample("held-out", "gray", features[3], scenes[3].labels)]
    active, candidate = engine.score([predictor, tuned.predictor], held_out)
    assert predictor.trunk_calls == calls
    assert tuned.predictor.trunk_calls == calls
    assert [type(score) for score in (*active, *candidate)] == [ImageScore, ImageScore]
    assert active[0].image_id == "held-out"
    assert active[0].true_positive + active[0].false_negative == len(scenes[3].masks)


def test_a_tuned_neck_comes_back_from_its_file(
    engine: Engine, version: VersionWeights, tmp_path: Path
) -> None:
    scenes = [nuclei(seed, side=128, cells=6) for seed in range(3)]
    features = [engine.embed(key(i), source(scene), version) for i, scene in enumerate(scenes)]
    samples = [TuningSample(f, scene.masks) for f, scene in zip(features, scenes, strict=True)]
    tuned = engine.tune(version.base, samples, QUICK)
    path = tmp_path / "neck.safetensors"
    path.write_bytes(tuned.weights)
    neck = WeightFile(path, hashlib.sha256(tuned.weights).hexdigest())
    stored = VersionWeights(version.base, neck, tuned.neck_hash, tuned.threshold)
    box = prompt(scenes[0])
    again = engine.decode(key(0), box, stored)
    masks, scores = tuned.predictor.decode(features[0], boxes=[list(box.box)])
    assert again.mask == masks[0]
    assert again.score == pytest.approx(float(scores[0]), abs=1e-5)
    assert tuned.curve[0]["loss"] is None  # and not NaN, which is no JSON


def test_tuning_gives_a_reason_when_it_cannot(engine: Engine, version: VersionWeights) -> None:
    with pytest.raises(TuningError, match="no cells"):
        engine.tune(version.base, [], QUICK)
