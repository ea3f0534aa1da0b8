"""What a person's work costs: the prices, the hand and the rules of the simulated annotator, all in this one file.

They were fixed before the first run was played and are not fitted to any result; whoever changes one plays every arm
again. Waiting for the model is not priced: a box comes back while the hand moves on.

Seconds are sums of the operators of the keystroke-level model (Card, Moran and Newell, "The keystroke-level model for
user performance time with interactive systems", CACM 23(7), 1980, with the button press of Kieras, "Using the
keystroke-level model to estimate execution times", 2001). An outline that is only looked at costs an eye movement and
one turn of perceiving and deciding (Card, Moran and Newell, "The psychology of human-computer interaction", 1983).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

# Operators, seconds.
THINK = 1.35  # M
POINT = 1.10  # P, to a target with the mouse
PRESS = 0.10  # B, the button down or up; a click is two
KEY = 0.28  # K, of somebody who is no typist
EYE, PERCEIVE, DECIDE = 0.23, 0.10, 0.07
DRAW_SEGMENT, DRAW_CM = 0.9, 0.16  # D, of straight pieces

CLICK = 2 * PRESS


class Kind(StrEnum):
    """One action of a person."""

    DELETE = "delete"  # Ctrl+click on a false cell
    CLEAR = "clear"  # one loop around everything, which deletes all cells in it
    REDRAW = "redraw"  # a second prompt: a new box around a cell whose outline has the wrong extent
    BRUSH = "brush"  # one stroke with the brush; the cell then has its true outline
    BOX = "box"  # a box around a missed cell
    VERTEX = "vertex"  # a click of a polygon, for the arm that has no model


BRUSH_SEGMENTS, BRUSH_CM = 4, 5.0  # about half the outline of a cell that is 2 to 3 cm wide on the screen
LOOP_SEGMENTS, LOOP_CM = 4, 80.0  # around an image that fills most of the screen

SECONDS: Mapping[Kind, float] = MappingProxyType(
    {
        Kind.DELETE: THINK + POINT + CLICK + KEY,
        Kind.CLEAR: THINK + POINT + CLICK + DRAW_SEGMENT * LOOP_SEGMENTS + DRAW_CM * LOOP_CM,
        Kind.REDRAW: THINK + POINT + PRESS + POINT + PRESS,
        Kind.BRUSH: THINK + POINT + CLICK + DRAW_SEGMENT * BRUSH_SEGMENTS + DRAW_CM * BRUSH_CM,
        Kind.BOX: THINK + POINT + PRESS + POINT + PRESS,
        Kind.VERTEX: POINT + CLICK,
    }
)
LOOK_S = (
    EYE + PERCEIVE + DECIDE
)  # at each outline that the model shows, and at each mask that comes back for a box
TOOL_S = KEY  # choosing a tool, once an image for each kind of action
POLYGON_S = THINK + KEY  # beginning and closing a polygon, beside its vertices
IMAGE_S = THINK + 2 * KEY  # taking an image in, and Ctrl+Enter in the end


@dataclass(frozen=True, slots=True)
class Rules:
    """When a person acts, and how steady the hand is."""

    same_cell_above: float = (
        0.5  # IoU of masks: a shown cell is an attempt at this true cell and not a false one
    )
    repair_below: float = 0.8  # IoU of masks: a person does not leave it like this
    # IoU of the tight boxes: under it the outline has the wrong extent, and a box is the quicker repair; else a brush.
    redraw_below: float = 0.8
    # Where at least this share of the cells shown, and so many, are false, a person mends nothing but clears the image
    # and boxes every cell: that is fewer actions.
    clear_from_share: float = 2 / 3
    clear_from_cells: int = 4
    # The hand misses each side of a box by a normal error of this share of the box's side, at least so many pixels,
    # never more than twice that.
    hand_share: float = 0.03
    hand_px: float = 0.75
    polygon_iou: float = 0.9  # with so few vertices as reach it does a person draw a polygon


RULES = Rules()


def image_seconds(actions: Mapping[Kind, int], *, shown: int) -> float:
    """Seconds for one image: its actions, looking at ``shown`` outlines and at each mask that a box brought."""
    looks = shown + actions.get(Kind.BOX, 0) + actions.get(Kind.REDRAW, 0)
    tools = sum(count > 0 for count in actions.values())
    return (
        IMAGE_S
        + LOOK_S * looks
        + TOOL_S * tools
        + sum(SECONDS[kind] * count for kind, count in actions.items())
    )


def polygon_seconds(vertices: int, *, cells: int) -> float:
    """Seconds for one image whose ``cells`` are drawn by hand with so many vertices in all."""
    return IMAGE_S + TOOL_S + POLYGON_S * cells + SECONDS[Kind.VERTEX] * vertices
