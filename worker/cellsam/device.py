"""On what a model runs, and with which numbers: the one place that knows what `auto` means."""

from __future__ import annotations

import torch

AUTO = "auto"
# Of the products in trunks, CellFinder and mask decoder; see `Predictor`.
PRECISIONS: dict[str, torch.dtype | None] = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


class DeviceError(ValueError):
    """There is no such device here; the message says what there is."""


def choose_device(wanted: str = AUTO) -> str:
    """ "auto" is the first GPU, else the CPU. Anything else is torch's name of a device ("cpu", "cuda:1"), and tried.

    Raises DeviceError if torch does not know it or this machine does not have it.
    """
    if wanted == AUTO:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=wanted)
    except (RuntimeError, AssertionError) as error:  # AssertionError: torch was built without it
        gpus = torch.cuda.device_count()
        raise DeviceError(f"there is no device {wanted!r}; this machine has a CPU and {gpus} GPUs") from error
    return wanted


def native_precision(device: torch.device) -> torch.dtype | None:
    """bfloat16 where the device multiplies in it, else None: float32. Elsewhere it is emulated, and slower."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else None
    capabilities = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    native = any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))
    return torch.bfloat16 if native else None
