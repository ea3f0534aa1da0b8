"""CellSAM in PyTorch: find every cell of a microscopy image, and outline what a person points at.

    from worker.cellsam import Predictor, load

    predictor = Predictor(load("worker/weights/tiny.safetensors"))
    features = predictor.embed(image)                                    # the trunk, once
    cells = predictor.segment_features(features)                         # all cells
    masks, scores = predictor.decode(features, boxes=[[10, 20, 40, 60]])  # what a person points at

Usable without Django. Training, fine-tuning and evaluation are modules of their own below this package.
"""

from worker.cellsam.checkpoint import load
from worker.cellsam.config import PAPER, PUBLISHED, TINY
from worker.cellsam.features import Features
from worker.cellsam.model import CellSAM
from worker.cellsam.predictor import Predictor
from worker.cellsam.stitching import Segmentation

__all__ = ["PAPER", "PUBLISHED", "TINY", "CellSAM", "Features", "Predictor", "Segmentation", "load"]
