"""Fine-tuning for one project: a ladder of how much of the model may change, on corrected images.

The neck mends masks; the whole CellFinder mends missed and false cells; for images of a kind that the trunk never saw,
the trunk has to change too. The first two rungs learn from cached features and never call the trunk, so no feature has
to be computed again, neither for the run nor after it. Each rung chooses its box threshold anew, on images that the run
holds back from its own training.
"""

from worker.cellsam.tuning.config import Schedule, TuningConfig
from worker.cellsam.tuning.ladder import Ladder, TunedModel
from worker.cellsam.tuning.learning import Courtesy, CurvePoint
from worker.cellsam.tuning.sample import Source, TuningError, TuningSample, label_map

__all__ = [
    "Courtesy",
    "CurvePoint",
    "Ladder",
    "Schedule",
    "Source",
    "TunedModel",
    "TuningConfig",
    "TuningError",
    "TuningSample",
    "label_map",
]
