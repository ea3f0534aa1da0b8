"""SAM's modules, importable without torchvision.

``segment_anything`` imports four torchvision functions at load time for its own predictor and mask generator. This
package uses neither, and many torchvision builds do not fit the installed torch, so the four names are supplied only
if the real import fails. They raise when called: nothing here may come to depend on them.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import NoReturn

_MODULES = {
    "torchvision": (),
    "torchvision.ops": (),
    "torchvision.ops.boxes": ("batched_nms", "box_area"),
    "torchvision.transforms": (),
    "torchvision.transforms.functional": ("resize", "to_pil_image"),
}


def _unavailable(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("this function needs a working torchvision, which is not installed")


def _stand_in(name: str, functions: tuple[str, ...]) -> ModuleType:
    module = ModuleType(name)
    for function in functions:
        setattr(module, function, _unavailable)
    return module


def _import_segment_anything() -> ModuleType:
    """The real package; while it loads, with stand-ins for torchvision if that is absent or broken."""
    try:
        importlib.import_module("torchvision.ops.boxes")
        importlib.import_module("torchvision.transforms.functional")
    except (ImportError, RuntimeError):  # RuntimeError: an extension built for another torch
        before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "torchvision"}
        sys.modules.update({name: _stand_in(name, functions) for name, functions in _MODULES.items()})
        try:
            return importlib.import_module("segment_anything.modeling")
        finally:
            for name in _MODULES:
                sys.modules.pop(name, None)
            sys.modules.update(before)
    return importlib.import_module("segment_anything.modeling")


_modeling = _import_segment_anything()

# Typed as their real classes by the package's own source; mypy sees them through this module only.
from segment_anything.modeling import (  # noqa: E402
    ImageEncoderViT,
    MaskDecoder,
    PromptEncoder,
    TwoWayTransformer,
)
from segment_anything.modeling.common import LayerNorm2d  # noqa: E402
from segment_anything.modeling.image_encoder import get_rel_pos  # noqa: E402

__all__ = [
    "ImageEncoderViT",
    "LayerNorm2d",
    "MaskDecoder",
    "PromptEncoder",
    "TwoWayTransformer",
    "get_rel_pos",
]
