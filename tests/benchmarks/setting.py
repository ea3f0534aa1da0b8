"""What all measurements share: how many repetitions, and images like those that people upload."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from backend.programs import ROOT
from tests.scenes import Scene, nuclei

SIDE, CELLS = 512, 30  # of the measured images


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    boxes: int
    uploads: int  # in the background of the boxes
    batch: int  # timed from the upload to the last cell
    edits: int


FULL = Size(boxes=60, uploads=50, batch=20, edits=60)
QUICK = Size(boxes=8, uploads=6, batch=4, edits=8)


def field(seed: int) -> Scene:
    """A 512 x 512 field of about 30 nuclei; each seed gives another one."""
    return nuclei(10_000 + seed, side=SIDE, cells=CELLS)


def clean_environ() -> dict[str, str]:
    """Ours without a developer's own settings: the figures are those of the defaults."""
    known = re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    return {name: value for name, value in os.environ.items() if name not in known}
