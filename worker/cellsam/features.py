"""An image as the trunk left it: what is computed once, cached, and read by every later act."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from worker.cellsam.config import TilingConfig
from worker.cellsam.preprocess import Frame

FORMAT = "cellloop-features-1"
TRUNK_MAP = "trunk"  # what the neck reads, and CellFinder too in a model with one trunk
FINDER_MAP = "finder"  # what CellFinder reads in a model with two


class FeaturesError(ValueError):
    """These bytes are not features, or not those of this model."""


@dataclass(frozen=True, slots=True)
class Features:
    """Maps before the neck, by name: a model with two trunks has two. Nothing here depends on neck or CellFinder.

    `trunk_hash` covers all trunks and `preprocessing` all that happens to pixels before them: the maps of an image are
    made, kept and dropped together.
    """

    maps: dict[str, Tensor]  # each (tiles, C, h, w) float16, in the order of `held`
    frame: Frame
    trunk_hash: str
    preprocessing: str
    held: tuple[int, ...] = ()  # the tiles whose maps these are, if not all of `frame.tiles` in their order

    @property
    def tokens(self) -> Tensor:
        """(tiles, C, h, w), what the neck reads."""
        return self.maps[TRUNK_MAP]

    @property
    def finder_tokens(self) -> Tensor:
        """(tiles, C, h, w), what CellFinder reads."""
        return self.maps.get(FINDER_MAP, self.tokens)

    def row(self, index: int) -> int:
        """Where the maps of a tile of the frame are. Raises FeaturesError if they are in another part."""
        if not self.held:
            return index
        if index not in self.held:
            raise FeaturesError(
                f"these features are of some tiles of the image; tile {index} is not among them"
            )
        return self.held.index(index)

    @property
    def nbytes(self) -> int:
        return sum(tokens.numel() * tokens.element_size() for tokens in self.maps.values())

    @classmethod
    def joined(cls, parts: Iterable[Features]) -> Features:
        """All features of an image of those of its parts, which hold each of its tiles. Holds one part beside them."""
        whole: Features | None = None
        for part in parts:
            count = len(part.frame.tiles)
            if whole is None:
                maps = {
                    name: tokens.new_empty(count, *tokens.shape[1:]) for name, tokens in part.maps.items()
                }
                whole = replace(part, maps=maps, held=())
            for name, tokens in part.maps.items():
                whole.maps[name][list(part.held or range(count))] = tokens
        if whole is None:
            raise FeaturesError("there are no features to join")
        return whole

    def to_bytes(self) -> bytes:
        """A safetensors file."""
        tiling = self.frame.tiling
        about = {
            "height": self.frame.height,
            "width": self.frame.width,
            "tiling": asdict(tiling),
            "trunk_hash": self.trunk_hash,
            "preprocessing": self.preprocessing,
            "held": self.held,
        }
        maps = {name: tokens.cpu().contiguous() for name, tokens in self.maps.items()}
        return save_tensors(maps, metadata={"format": FORMAT, "about": json.dumps(about)})

    @classmethod
    def from_bytes(cls, data: bytes) -> Features:
        """Raises FeaturesError if the bytes are truncated, foreign or of another version."""
        try:
            maps = load_tensors(data)
            # safetensors: 8 bytes length of the JSON header, little endian; `load` does not return its metadata.
            header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
            metadata = header["__metadata__"]
            about = json.loads(metadata["about"])
            frame = Frame(int(about["height"]), int(about["width"]), TilingConfig(**about["tiling"]))
            held = tuple(int(index) for index in about.get("held", ()))
            features = cls(maps, frame, str(about["trunk_hash"]), str(about["preprocessing"]), held)
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise FeaturesError(f"not a features file: {error}") from error
        if metadata.get("format") != FORMAT:
            raise FeaturesError(f"features of format {metadata.get('format')!r}, expected {FORMAT!r}")
        count = len(held or frame.tiles)
        if any(tokens.dtype != torch.float16 or len(tokens) != count for tokens in maps.values()):
            raise FeaturesError("the maps do not fit the image's tiles")
        return features
