from __future__ import annotations

import numpy as np

from labeling.simulate import Simulated, simulate
from worker.cellsam import Predictor
from worker.cellsam.preprocess import Window
from worker.cellsam.stitching import Candidate, assemble, join_fragments

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
