"""The engine runs the trunk once for an image, and never for a box, a tuning run or a comparison."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from labeling.ladder import Rung
from labeling.matching import count_matches
from labeling.rle import BoxMask
from labeling.score_tally import ScoreTally
from tests.scenes import Scene, nuclei
from tests.worker.conftest import unread
from worker.cellsam.checkpoint import tuned_bytes
from worker.cellsam.predictor import Stopped
from worker.cellsam.tuning import Schedule, TuningConfig, TuningError, TuningSample, label_map
from worker.engine import Engine, FeaturesAddress, FeaturesMissing, Prompt
from worker.features import FeatureStore
from worker.scoring import HeldOutImage
from worker.weights import VersionWeights, WeightFile

BRIEF = Schedule(rate=1e-4, passes=1, least=2, most=2, check_every=1)
QUICK = TuningConfig(neck=BRIEF, finder=BRIEF, windows_a_step=1, tiles_a_step=1, max_validation_cells=6)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return new_engine(tmp_path)


def new_engine(folder: Path) -> Engine:
    return Engine(features=FeatureStore(folder / "features", budget_bytes=2**30), device="cpu")


def at(number: int, *, side: int = 192) -> FeaturesAddress:
    return FeaturesAddress(f"{number:064x}", side, side)


def source(scene: Scene) -> Callable[[], tuple[np.ndarray, tuple[str, ...]]]:
    return lambda: (scene.image, ("nuclear",))


def prompt(scene: Scene, index: int = 0) -> Prompt:
    return Prompt(box=scene.masks[index].box)


def test_it_works(engine: Engine, version: VersionWeights) -> None:
    scene = nuclei(1)
    told: list[float] = []
    found = engine.segment(at(1), source(scene), version, progress=told.append)
    assert len(found.masks) >= 6
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_box_gives_the_cell_in_it(engine: Engine, version: VersionWeights) -> None:
    scene = nuclei(1)
    engine.embed(at(1), source(scene), version)
    decoded = engine.decode(at(1), prompt(scene), version)
    assert decoded.mask.iou(scene.masks[0]) > 0.6
    assert 0 < decoded.model_s < 30


def test_the_trunk_runs_once_for_an_image(engine: Engine, version: VersionWeights) -> None:
    scene, predictor = nuclei(1), engine.predictor(version)
    engine.embed(at(1), source(scene), version)
    calls = predictor.trunk_calls
    assert calls > 0
    engine.segment(at(1), unread, version)
    for index in range(3):
        engine.decode(at(1), prompt(scene, index), version)
    assert predictor.trunk_calls == calls


def test_another_process_uses_the_same_features(version: VersionWeights, tmp_path: Path) -> None:
    scene, other = nuclei(1), new_engine(tmp_path)
    new_engine(tmp_path).embed(at(1), source(scene), version)
    other.decode(at(1), prompt(scene), version)
    assert other.predictor(version).trunk_calls == 0


def test_a_box_on_an_unknown_image_says_so(engine: Engine, version: VersionWeights) -> None:
    with pytest.raises(FeaturesMissing):
        engine.decode(at(9), prompt(nuclei(1)), version)


def test_corrupt_features_are_computed_again(version: VersionWeights, tmp_path: Path) -> None:
    scene = nuclei(1)
    new_engine(tmp_path).embed(at(1), source(scene), version)
    (path,) = tmp_path.glob("features/*/*.features")
    path.write_bytes(path.read_bytes()[:-100])
    engine = new_engine(tmp_path)
    with pytest.raises(FeaturesMissing):
        engine.decode(at(1), prompt(scene), version)
    engine.embed(at(1), source(scene), version)
    assert engine.decode(at(1), prompt(scene), version).mask.area > 0


@pytest.fixture
def tuned(engine: Engine, version: VersionWeights, tmp_path: Path) -> VersionWeights:
    """Neck and CellFinder moved by tuning, stored as a version; the engine has the features of image 0."""
    scenes = [nuclei(seed, side=96, cells=5) for seed in range(2)]
    features = [engine.features(at(i, side=96), source(scene), version) for i, scene in enumerate(scenes)]
    samples = [TuningSample(f, scene.masks) for f, scene in zip(features, scenes, strict=True)]
    calls = engine.predictor(version).trunk_calls
    model = engine.ladder(version.base, samples, QUICK).climb(Rung.FINDER)
    assert model.predictor.trunk_calls == calls
    moved = model.predictor.with_parts(
        {
            "neck": {n: t + 0.01 for n, t in model.predictor.model.neck.state_dict().items()},
            "finder": {n: t * 1.01 for n, t in model.predictor.model.finder.state_dict().items()},
        }
    )
    path = tmp_path / "tuned.safetensors"
    path.write_bytes(tuned_bytes(replace(model, predictor=moved).file()))
    return VersionWeights(
        base=version.base,
        tuned=WeightFile(path, hashlib.sha256(path.read_bytes()).hexdigest()),
        trunk_hash=version.trunk_hash,
        neck_hash=moved.neck_hash,
        finder_hash=moved.finder_hash,
        threshold=0.4,
    )


def test_a_new_neck_and_finder_decode_cached_features_without_the_trunk(
    engine: Engine, version: VersionWeights, tuned: VersionWeights
) -> None:
    before = engine.labels(at(0, side=96), version)
    calls = engine.predictor(version).trunk_calls
    again = engine.segment(at(0, side=96), unread, tuned)
    compared = engine.labels(at(0, side=96), tuned)
    box = prompt(nuclei(0, side=96, cells=5))
    assert engine.predictor(tuned).neck_hash != engine.predictor(version).neck_hash
    assert (
        engine.decode(at(0, side=96), box, tuned).score != engine.decode(at(0, side=96), box, version).score
    )
    assert (again.labels == compared.labels).all()
    assert again.scores.tolist() != before.scores.tolist()
    assert engine.predictor(version).trunk_calls == engine.predictor(tuned).trunk_calls == calls


def test_comparing_needs_features_and_ends_when_nobody_waits(engine: Engine, version: VersionWeights) -> None:
    with pytest.raises(FeaturesMissing):
        engine.labels(at(9), version)
    engine.embed(at(1), source(nuclei(1)), version)
    with pytest.raises(Stopped):
        engine.labels(at(1), version, should_stop=lambda: True)


def test_a_held_out_image_is_scored_in_the_gates_figures(engine: Engine, version: VersionWeights) -> None:
    scene = nuclei(1)
    features, predictor = engine.features(at(1), source(scene), version), engine.predictor(version)
    false = BoxMask((0, 0, 4, 4), (0, 16))  # a cell where there is none
    calls = predictor.trunk_calls
    image = HeldOutImage(
        image_id="held-out",
        group="gray",
        cluster="movie",
        blind=True,
        cells=[*scene.masks, false],
        touched=frozenset({0, len(scene.masks)}),
        features=lambda of: features,
    )
    pauses: list[int] = []
    (score,), again = engine.score([predictor, predictor], [image], pause=lambda: pauses.append(1))
    assert len(pauses) >= 2 * (1 + len(features.frame.searched))  # between tiles, too
    found = predictor.segment_features(features)
    assert predictor.trunk_calls == calls
    assert again == [score]
    assert (score.image_id, score.group, score.cluster, score.blind) == ("held-out", "gray", "movie", True)
    assert score.counts == count_matches(label_map(image.cells, *scene.labels.shape), found.labels)
    assert score.prompted == len(scene.masks) + 1
    assert len(scene.masks) / 2 < score.iou_sum < len(scene.masks) + 1
    assert [confidence for confidence, _ in score.detections] == sorted(found.scores.tolist(), reverse=True)
    assert sum(hit for _, hit in score.detections) >= score.true_positive > 0
    assert (score.touched_found, score.touched_cells) == (1, 2)
    tally = ScoreTally.from_rows(score.by_score)
    assert (tally.found.total(), tally.right.total()) == (len(found.masks), score.true_positive)
    assert tally.above(float(found.scores.max())).found.total() >= 1


def test_tuning_gives_a_reason_when_it_cannot(engine: Engine, version: VersionWeights) -> None:
    with pytest.raises(TuningError, match="no cells"):
        engine.ladder(version.base, [], QUICK)
