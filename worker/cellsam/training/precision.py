"""Mixed precision: which numbers the forward pass uses, and what that asks of the backward pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

PrecisionName = Literal["auto", "fp32", "bf16", "fp16"]
_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
LOWEST_SCALE = 2.0**-14  # a loss scaled down this far and still overflowing is no matter of precision


@dataclass(frozen=True, slots=True)
class Precision:
    """`name` is fp32, bf16 or fp16. Weights, their gradients and the losses are float32 in all of them."""

    name: str
    device: torch.device

    @classmethod
    def of(cls, name: PrecisionName, device: torch.device) -> Precision:
        """`auto`: bfloat16 on a GPU that has it, float16 on another, float32 on a CPU."""
        if name != "auto":
            return cls(name, device)
        if device.type != "cuda":
            return cls("fp32", device)
        return cls("bf16" if torch.cuda.is_bf16_supported() else "fp16", device)

    def autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, dtype=_DTYPES.get(self.name), enabled=self.name in _DTYPES)

    def scaler(self) -> torch.amp.GradScaler:
        """Scales the loss where float16's small range needs it; does nothing otherwise."""
        return torch.amp.GradScaler(self.device.type, enabled=self.name == "fp16")
