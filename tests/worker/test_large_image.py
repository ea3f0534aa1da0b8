"""An image of several blocks of tiles: the same answers as in one piece, and never more than a block at a time."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from tests.scenes import Scene, nuclei
from tests.worker.conftest import unread
from tests.worker.test_engine import at, new_engine, source
from worker.cellsam import Features, Segmentation, preprocess
from worker.cellsam import sweep as sweep_module
from worker.cellsam.channels import ImageError
from worker.cellsam.preprocess import Window
from worker.cellsam.sources import ArraySource, Samples
from worker.engine import Engine, FeaturesAddress, FeaturesMissing, Prompt
from worker.features import DIGEST_BYTES, MAGIC, FeatureStore
from worker.weights import VersionWeights

SIDE, TILES, BLOCK = 600, 14, 4  # pixels; tiles of all levels; tiles in a block: four blocks
IMAGE = at(1, side=SIDE)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return nuclei(5, side=SIDE, cells=70)


@pytest.fixture(scope="module")
def one_block(scene: Scene, version: VersionWeights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the image's features in one piece."""
    folder = tmp_path_factory.mktemp("whole")
    new_engine(folder).embed(IMAGE, source(scene), version)
    return folder


@pytest.fixture(scope="module")
def embedded(scene: Scene, version: VersionWeights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the image's features in blocks."""
    folder = tmp_path_factory.mktemp("blocks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep_module, "BLOCK_TILES", BLOCK)
        new_engine(folder).embed(IMAGE, source(scene), version)
    return folder


@pytest.fixture
def blocks(embedded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As `embedded`, to be changed; blocks are small as long as the test runs."""
    shutil.copytree(embedded, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(sweep_module, "BLOCK_TILES", BLOCK)
    return tmp_path


class WatchedStore(FeatureStore):
    """Remembers which blocks were read and written, and how many bytes the largest had."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "features", budget_bytes=2**30)
        self.read: list[int | None] = []
        self.written: list[int | None] = []
        self.largest = 0

    def get(self, key: str, block: int | None = None) -> bytes | None:
        self.read.append(block)
        return super().get(key, block)

    def put(self, key: str, payload: bytes, block: int | None = None) -> None:
        self.written.append(block)
        self.largest = max(self.largest, len(payload))
        super().put(key, payload, block)


class WatchedPixels(ArraySource):
    """Remembers the largest window that was read."""

    largest = 0

    def read(self, window: Window) -> Samples:
        WatchedPixels.largest = max(WatchedPixels.largest, (window[2] - window[0]) * (window[3] - window[1]))
        return super().read(window)


def same(one: Segmentation, other: Segmentation) -> bool:
    return (
        one.masks == other.masks
        and np.array_equal(one.scores, other.scores)
        and np.array_equal(one.ious, other.ious)
        and np.array_equal(one.doubted, other.doubted)
    )


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("features/*/*.features")}


def maps(file: bytes) -> Tensor:
    return Features.from_bytes(file[len(MAGIC) + DIGEST_BYTES :]).tokens


def path_of(folder: Path, block: int) -> Path:
    (path,) = folder.glob(f"features/*/{IMAGE.key}-{block:06}.features")
    return path


def centred(x: float, y: float) -> Prompt:
    return Prompt(box=(x - 12, y - 12, x + 12, y + 12))


def test_it_has_the_same_cells_as_in_one_piece(
    one_block: Path,
    blocks: Path,
    version: VersionWeights,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = new_engine(blocks)
    told: list[float] = []
    found = engine.segment(IMAGE, unread, version, progress=told.append)
    compared = engine.labels(IMAGE, version)
    features = engine.features(IMAGE, unread, version)
    assert engine.predictor(version).trunk_calls == 0
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert sorted(files(blocks)) == [f"{IMAGE.key}-{block:06}.features" for block in range(4)]

    monkeypatch.undo()
    whole = new_engine(one_block)
    assert list(files(one_block)) == [f"{IMAGE.key}.features"]
    assert len(found.masks) > 30
    assert same(found, whole.segment(IMAGE, unread, version))
    assert same(compared, found)
    in_one_piece = whole.features(IMAGE, unread, version)
    assert features.held == in_one_piece.held == ()
    assert all((features.maps[name] == tokens).all() for name, tokens in in_one_piece.maps.items())


def test_a_box_reads_the_block_that_shows_it(
    one_block: Path,
    blocks: Path,
    version: VersionWeights,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = WatchedStore(blocks)
    engine = Engine(features=store, device="cpu")
    prompts = [centred(560, 570), centred(540, 550), centred(40, 30), Prompt((20, 20, 580, 590))]
    decoded = [engine.decode(IMAGE, prompts[0], version)]
    assert len(store.read) == 1
    decoded += [engine.decode(IMAGE, prompt, version) for prompt in prompts[1:]]
    first, *others = store.read  # the neighbour is in the block that is in memory
    assert first == 3
    assert set(others) == {0}
    assert engine.predictor(version).trunk_calls == 0

    monkeypatch.undo()
    whole = new_engine(one_block)
    for prompt, answer in zip(prompts, decoded, strict=True):
        expected = whole.decode(IMAGE, prompt, version)
        assert (answer.mask, answer.score) == (expected.mask, expected.score)


@pytest.mark.parametrize("damage", ["evicted", "truncated", "of another size of blocks"])
def test_one_block_is_computed_again_and_no_other(
    scene: Scene,
    blocks: Path,
    version: VersionWeights,
    damage: str,
) -> None:
    before, path = files(blocks), path_of(blocks, 3)
    if damage == "evicted":
        path.unlink()
    else:
        other = path.read_bytes()[:-9] if damage == "truncated" else path_of(blocks, 2).read_bytes()
        path.write_bytes(other)
    store = WatchedStore(blocks)
    engine = Engine(features=store, device="cpu")
    with pytest.raises(FeaturesMissing, match=IMAGE.key):
        engine.decode(IMAGE, centred(560, 570), version)
    with pytest.raises(FeaturesMissing):
        engine.labels(IMAGE, version)
    assert engine.decode(IMAGE, centred(40, 30), version).mask.area

    engine.embed(IMAGE, source(scene), version)
    assert engine.predictor(version).trunk_calls == 1
    assert store.written == [3]
    after = files(blocks)
    assert maps(after.pop(path.name)).equal(maps(before.pop(path.name)))
    assert after == before
    assert engine.decode(IMAGE, centred(560, 570), version).mask.area


def test_what_is_missing_is_computed_before_the_rest_is_looked_at(
    scene: Scene,
    blocks: Path,
    version: VersionWeights,
) -> None:
    path_of(blocks, 2).unlink()
    store = WatchedStore(blocks)
    Engine(features=store, device="cpu").embed(IMAGE, source(scene), version)
    assert store.read == [2, 0, 1, 3]


def test_who_was_stopped_goes_on_with_the_blocks_that_are_there(
    scene: Scene,
    version: VersionWeights,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Cancelled(Exception):
        pass

    def cancel(done: float) -> None:
        if done > 0.6:
            raise Cancelled

    monkeypatch.setattr(sweep_module, "BLOCK_TILES", BLOCK)
    engine = new_engine(tmp_path)
    with pytest.raises(Cancelled):
        engine.segment(IMAGE, source(scene), version, progress=cancel)
    kept = files(tmp_path)
    assert 0 < len(kept) < 4

    again = new_engine(tmp_path)
    again.segment(IMAGE, source(scene), version)
    assert again.predictor(version).trunk_calls == 4 - len(kept)
    assert files(tmp_path).items() > kept.items()


@pytest.fixture
def strip() -> np.ndarray:
    """Higher than what is read at a time, and of a level where no cells are looked for."""
    WatchedPixels.largest = 0
    return np.random.default_rng(0).integers(90, 110, (2100, 90)).astype(np.uint8)


def test_neither_its_pixels_nor_its_features_are_in_memory_as_a_whole(
    strip: np.ndarray,
    version: VersionWeights,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweep_module, "BLOCK_TILES", BLOCK)
    monkeypatch.setattr(preprocess, "STRIP_PX", 2**16)  # of the image, for a tile of a coarse level
    store = WatchedStore(tmp_path)
    engine = Engine(features=store, device="cpu", memory_bytes=2**21)  # a block and a half
    address = FeaturesAddress(IMAGE.key, *strip.shape)
    told: list[float] = []

    engine.segment(address, lambda: (WatchedPixels(strip), ("nuclear",)), version, progress=told.append)

    assert 0 < WatchedPixels.largest < strip.size
    tile_bytes = 192 * 32 * 32 * 2
    assert store.largest < (BLOCK + 0.1) * tile_bytes
    assert store.written == [0, 1, 2, 3, 4, 5]
    assert (told == sorted(told), told[-1]) == (True, 1.0)
    everything = Prompt((0, 0, 90, 2100))  # is decoded where no cells are looked for
    calls = engine.predictor(version).trunk_calls
    assert engine.decode(address, everything, version).mask.area
    assert store.read[-1] == 5
    assert engine.predictor(version).trunk_calls == calls


def test_an_image_of_another_size_than_its_address_says_is_refused(
    scene: Scene,
    version: VersionWeights,
    tmp_path: Path,
) -> None:
    with pytest.raises(ImageError, match="600 x 600 pixels, not 192 x 192"):
        new_engine(tmp_path).embed(at(1), source(scene), version)
    assert not files(tmp_path)
