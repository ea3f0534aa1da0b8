"""An image on its way to the model: its pixels, its tiles, and the name of what happened to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from worker.cellsam.channels import Image, ImageError, ModelImage, config_image, preprocessing_name
from worker.cellsam.config import CellSAMConfig, TilingConfig
from worker.cellsam.intensity import Pixels
from worker.cellsam.preprocess import Frame, Window, at_scale

LARGEST_SCALE = 8


@dataclass(frozen=True, slots=True)
class ModelInput:
    """Reads the image tile by tile; holds none of it, unless it came as an array."""

    pixels: ModelImage
    frame: Frame
    preprocessing: str
    origin: tuple[int, int] = (0, 0)  # where the frame's pixel (0, 0) lies in the image, if it is of a part

    @classmethod
    def of(
        cls,
        image: Image,
        roles: Sequence[str] | None,
        config: CellSAMConfig,
        *,
        enhance: bool = False,
        equalised: bool = False,
    ) -> ModelInput:
        """At the model's usual scale; the others as in `config_image`. Raises ImageError."""
        pixels = config_image(image, roles, config, enhance=enhance, equalised=equalised)
        frame = Frame(pixels.height, pixels.width, config.tiling)
        return cls(pixels, frame, preprocessing_name(config, enhance=enhance))

    def at_scale(self, config: CellSAMConfig, scale: float, *, enhance: bool) -> ModelInput:
        """The same image, enlarged `scale` times more than the model's usual way. Raises ImageError."""
        if not 1 / LARGEST_SCALE <= scale <= LARGEST_SCALE:
            raise ImageError(f"a scale is between 1/{LARGEST_SCALE} and {LARGEST_SCALE}, not {scale:g}")
        return replace(
            self,
            frame=Frame(self.pixels.height, self.pixels.width, at_scale(config.tiling, scale)),
            preprocessing=preprocessing_name(config, scale=scale, enhance=enhance),
        )

    def tile(self, index: int) -> Tensor:
        """(3, S, S) float32 in [0, 1]."""
        return self.frame.input_of(self._read, self.frame.tiles[index])

    def part(self, window: Window, tiling: TilingConfig) -> ModelInput:
        """A part of the image, normalised as all of it, as an image of its own in other tiles."""
        x0, y0, x1, y1 = window
        return replace(self, frame=Frame(y1 - y0, x1 - x0, tiling), origin=(x0, y0))

    def _read(self, window: Window) -> Pixels:
        x, y = self.origin
        return self.pixels.read((window[0] + x, window[1] + y, window[2] + x, window[3] + y))
