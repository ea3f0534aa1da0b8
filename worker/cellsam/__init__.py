"""CellSAM in PyTorch: find every cell of a microscopy image, and outline what a person points at.

    from worker.cellsam import Predictor, load

    predictor = Predictor(load("worker/weights/tiny.safetensors"))
    cells = predictor.segment(image)                 # all cells: labels (H, W), boxes, scores
    features = predictor.embed(image)                # the trunk, once; all that follows is quick
    boxes, scores = predictor.detect(features)
    masks, scores = predictor.decode(features, boxes=[[10, 20, 40, 60], None], points=[[], [(70, 80, 1)]])

Images are arrays (H, W) or (H, W, C), or sources that are read in parts; coordinates are image pixels (x, y), and pixel
(0, 0) covers [0, 1) x [0, 1). The public names are eight: `load` reads a `CellSAM` from a weight file, whose
configuration is `PAPER`, `PUBLISHED`, `TINY` or one of your own; a `Predictor` turns images into `Features` and a
`Segmentation`. Usable without Django. Training, fine-tuning and evaluation are modules of their own below this package.
"""

from worker.cellsam.checkpoint import load
from worker.cellsam.config import PAPER, PUBLISHED, TINY
from worker.cellsam.features import Features
from worker.cellsam.model import CellSAM
from worker.cellsam.predictor import Predictor
from worker.cellsam.stitching import Segmentation

__all__ = ["PAPER", "PUBLISHED", "TINY", "CellSAM", "Features", "Predictor", "Segmentation", "load"]
