from __future__ import annotations

from dataclasses import replace

import numpy as np

from labeling.simulate import Simulated, simulate
from worker.cellsam import Predictor
from worker.cellsam.candidates import Candidate
from worker.cellsam.preprocess import Window
from worker.cellsam.stitching import Stitcher, assemble, join_fragments

LEFT, RIGHT = (0, 0, 60, 50), (40, 0, 100, 50)


def candidate(
    window: Window, *, tile: int = 0, cut: bool = False, score: float = 0.9, logit: float = 1.0
) -> Candidate:
    size = (window[3] - window[1], window[2] - window[0])
    return Candidate(
        box_xyxy_px=np.array(window, dtype=np.float32),
        score=score,
        iou=0.9,
        tile=tile,
        tile_window=(LEFT, RIGHT)[tile],
        cut=cut,
        window=window,
        mask=np.ones(size, dtype=bool),
        logits=np.full(size, logit, dtype=np.float32),
    )


def test_a_cell_cut_by_a_seam_becomes_one() -> None:
    halves = [candidate((20, 10, 60, 30), tile=0, cut=True), candidate((40, 10, 80, 30), tile=1, cut=True)]

    found = assemble(halves, 50, 100)

    assert [mask.box for mask in found.masks] == [(20, 10, 80, 30)]
    assert found.boxes.tolist() == [[20, 10, 80, 30]]


def test_a_whole_cell_beats_its_fragment() -> None:
    whole, fragment = candidate((42, 10, 70, 30), tile=1, score=0.6), candidate((42, 10, 60, 30), cut=True)

    assert join_fragments([fragment, whole]) == [whole]


def test_a_cell_seen_twice_is_kept_once() -> None:
    better, worse = candidate((42, 10, 56, 30), score=0.9), candidate((42, 11, 57, 30), tile=1, score=0.7)
    assert join_fragments([worse, better]) == [better]


def test_neighbours_at_a_seam_stay_two() -> None:
    cells = [candidate((20, 10, 58, 20), cut=True), candidate((42, 21, 80, 31), tile=1, cut=True)]
    assert len(assemble(cells, 50, 100).masks) == 2


def test_cells_of_one_tile_are_never_joined() -> None:
    assert len(join_fragments([candidate((10, 10, 30, 30)), candidate((11, 11, 31, 31))])) == 2


def test_the_larger_logit_wins_a_shared_pixel() -> None:
    found = assemble([candidate((0, 0, 20, 20)), candidate((15, 0, 40, 20), logit=2.0)], 50, 100)
    assert found.labels[5, 17] == 2
    assert found.labels[5, 14] == 1


def test_a_cell_that_others_cover_is_dropped_and_ids_close_up() -> None:
    cells = [
        candidate((0, 0, 20, 20)),
        candidate((0, 0, 21, 20), logit=2.0),
        candidate((50, 0, 60, 9), tile=1),
    ]

    found = assemble(cells, 50, 100)

    assert np.unique(found.labels).tolist() == [0, 1, 2]
    assert len(found.scores) == 2


def test_what_is_left_of_a_split_cell_is_one_piece() -> None:
    cells = [candidate((0, 0, 40, 20)), candidate((10, 0, 14, 20), logit=2.0)]
    found = assemble(cells, 50, 100)
    assert found.masks[0].box == (14, 0, 40, 20)


def test_nothing_gives_nothing() -> None:
    found = assemble([], 5, 7)
    assert found.labels.shape == (5, 7)
    assert found.masks == ()


def test_no_cell_of_a_tiled_image_ends_at_a_seam(predictor: Predictor) -> None:
    """A large image of nuclei: as many cells as there are, none of them twice."""
    image: Simulated = simulate("nuclei", height=300, width=440, cells=60, seed=3)

    found = predictor.segment(image.image[0])

    assert abs(len(found.masks) - image.labels.max()) <= 0.2 * image.labels.max()


def coarse(window: Window, **kwargs: float) -> Candidate:
    return replace(candidate(window, **kwargs), tile=9, tile_window=(0, 0, 100, 50), level=1)  # type: ignore[arg-type]


def test_a_cell_found_on_a_coarser_level_replaces_its_fragments() -> None:
    fragments = [
        candidate((10, 5, 60, 45), cut=True),
        candidate((40, 5, 60, 45), tile=1, cut=True, logit=3.0),
    ]

    found = assemble([*fragments, coarse((8, 5, 90, 45), score=0.6)], 50, 100)

    assert [mask.box for mask in found.masks] == [(8, 5, 90, 45)]


def test_a_clump_of_cells_does_not_become_one() -> None:
    cells = [candidate((10, 5, 30, 40), score=0.6), candidate((32, 5, 58, 40), score=0.6)]

    found = assemble([*cells, coarse((8, 5, 90, 45), score=0.99)], 50, 100)

    assert sorted(mask.box for mask in found.masks) == [(10, 5, 30, 40), (32, 5, 58, 40)]


def test_a_small_cell_with_a_better_score_stays_on_a_large_one() -> None:
    small = [
        candidate((20, 10, 28, 18), score=0.9, logit=2.0),
        candidate((30, 10, 38, 18), score=0.6, logit=2.0),
    ]

    found = assemble([*small, coarse((8, 5, 90, 45), score=0.8)], 50, 100)

    assert sorted(mask.box for mask in found.masks) == [(8, 5, 90, 45), (20, 10, 28, 18)]


def test_cells_are_the_same_whenever_they_are_asked_for() -> None:
    random = np.random.default_rng(0)
    for overlaps in ("argmax", "painter"):
        candidates = [scattered(random, index) for index in range(150)]
        tops = sorted({of_tile.tile_window[1] for of_tile in candidates})
        patient, eager = Stitcher(overlaps), Stitcher(overlaps)
        early = []
        for top in tops:
            for tile in sorted({c.tile for c in candidates if c.tile_window[1] == top}):
                early += eager.settle(top)
                patient.add([c for c in candidates if c.tile == tile])
                eager.add([c for c in candidates if c.tile == tile])

        assert early
        late = {cell.mask.box: cell for cell in patient.settle()}
        assert {cell.mask.box: cell.mask for cell in [*early, *eager.settle()]} == {
            box: cell.mask for box, cell in late.items()
        }
        assert len(late) > 20


def scattered(random: np.random.Generator, index: int) -> Candidate:
    """A blot somewhere in one of 4 x 6 tiles of 60 x 60 with overlaps of 20, or in a coarse one."""
    is_coarse = index % 15 == 0
    side, step, reach = (120, 80, 60) if is_coarse else (60, 40, 25)
    column, row = int(random.integers(2 if is_coarse else 4)), int(random.integers(3 if is_coarse else 6))
    left, top = column * step, row * step
    width, height = (int(size) for size in random.integers(4, reach, 2))
    x, y = left + int(random.integers(side - width)), top + int(random.integers(side - height))
    mask = random.random((height, width)) > 0.1
    return Candidate(
        box_xyxy_px=np.array([x, y, x + width, y + height], dtype=np.float32),
        score=float(random.random()),
        iou=0.9,
        tile=1000 + row * 2 + column if is_coarse else row * 4 + column,
        tile_window=(left, top, left + side, top + side),
        cut=not is_coarse and bool(random.random() < 0.3),
        window=(x, y, x + width, y + height),
        mask=mask,
        logits=np.where(mask, random.normal(1, 1, mask.shape), -np.inf).astype(np.float32),
        level=int(is_coarse),
    )
