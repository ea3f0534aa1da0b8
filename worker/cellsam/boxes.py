"""Boxes as tensors: centre form for the detector, corner form for everything people see."""

from __future__ import annotations

import torch
from torch import Tensor


def corners(boxes_cxcywh: Tensor) -> Tensor:
    """(..., 4) centre x, centre y, width, height -> x0, y0, x1, y1, in the same units."""
    centre, half = boxes_cxcywh[..., :2], boxes_cxcywh[..., 2:] / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def centres(boxes_xyxy: Tensor) -> Tensor:
    """The inverse of `corners`."""
    low, high = boxes_xyxy[..., :2], boxes_xyxy[..., 2:]
    return torch.cat([(low + high) / 2, high - low], dim=-1)


def area(boxes_xyxy: Tensor) -> Tensor:
    return (boxes_xyxy[..., 2:] - boxes_xyxy[..., :2]).clamp(min=0).prod(dim=-1)


def iou_and_giou(a_xyxy: Tensor, b_xyxy: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and generalised IoU (Rezatofighi et al. 2019) of boxes paired by broadcasting: (..., 4) -> (...) each."""
    shared_low = torch.maximum(a_xyxy[..., :2], b_xyxy[..., :2])
    shared_high = torch.minimum(a_xyxy[..., 2:], b_xyxy[..., 2:])
    shared = (shared_high - shared_low).clamp(min=0).prod(dim=-1)
    union = area(a_xyxy) + area(b_xyxy) - shared
    iou = shared / (union + 1e-9)
    hull_low = torch.minimum(a_xyxy[..., :2], b_xyxy[..., :2])
    hull_high = torch.maximum(a_xyxy[..., 2:], b_xyxy[..., 2:])
    hull = (hull_high - hull_low).clamp(min=0).prod(dim=-1)
    return iou, iou - (hull - union) / (hull + 1e-9)


def inverse_sigmoid(x: Tensor, eps: float = 1e-5) -> Tensor:
    x = x.clamp(eps, 1 - eps)
    return torch.log(x / (1 - x))
