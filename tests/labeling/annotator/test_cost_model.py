"""What the simulated work costs."""

from __future__ import annotations

import numpy as np
import pytest

from labeling.annotator import cost_model
from labeling.annotator.cost_model import SECONDS, Kind, image_seconds, polygon_seconds
from labeling.annotator.polygon import polygon_vertices
from labeling.rle import BoxMask
from tests.factories import square


def disc(radius: int) -> BoxMask:
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    mask = BoxMask.from_mask(np.hypot(x, y) <= radius)
    assert mask is not None
    return mask


def test_every_kind_of_action_has_a_price():
    assert set(SECONDS) == set(Kind)
    assert min(SECONDS.values()) > 0


def test_a_box_is_thinking_and_two_moves_of_the_mouse():
    assert SECONDS[Kind.BOX] == pytest.approx(1.35 + 2 * (1.10 + 0.10))


def test_an_image_that_is_right_costs_a_look_at_each_cell():
    assert image_seconds({}, shown=10) - image_seconds({}, shown=0) == pytest.approx(10 * cost_model.LOOK_S)


def test_a_tool_is_chosen_once_for_all_actions_of_a_kind():
    one, two = (image_seconds({Kind.DELETE: count}, shown=0) for count in (1, 2))
    assert two - one == pytest.approx(SECONDS[Kind.DELETE])
    assert one - image_seconds({}, shown=0) == pytest.approx(SECONDS[Kind.DELETE] + cost_model.TOOL_S)


def test_the_mask_of_a_box_is_looked_at():
    one, two = (image_seconds({Kind.BOX: count}, shown=0) for count in (1, 2))
    assert two - one == pytest.approx(SECONDS[Kind.BOX] + cost_model.LOOK_S)


def test_a_polygon_costs_its_vertices():
    few, many = (polygon_seconds(vertices, cells=1) for vertices in (4, 14))
    assert many - few == pytest.approx(10 * SECONDS[Kind.VERTEX])


def test_a_square_takes_four_clicks_and_a_disc_more():
    assert polygon_vertices(square(30, 30, 20)) == 4
    assert 5 <= polygon_vertices(disc(12)) <= 10
    assert polygon_vertices(disc(12), iou=0.97) > polygon_vertices(disc(12), iou=0.9)


def test_a_cell_of_one_pixel_takes_a_triangle_at_least():
    assert polygon_vertices(square(0, 0, 1)) >= 3
