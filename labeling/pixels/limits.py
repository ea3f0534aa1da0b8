"""How much a file may claim before anything is allocated for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, cast

from labeling.pixels.info import BinaryFile, PixelError

DEFAULT_MAX_PIXELS = 400_000_000  # of one plane
DEFAULT_MAX_BYTES = 2048 * 2**20  # of the file
MAX_CHANNELS = 64  # that a file may declare by name or axis
MAX_UNDECLARED_CHANNELS = 8  # pages or planes that nothing says are channels; more are frames
MAX_FRAMES = 500  # of a time-lapse or a z-stack
MAX_PLANES = 2048  # pages that are looked at

# All planes together; a 64-channel file of the largest plane would be 51 GB.
_PLANES_OF_FULL_SIZE = 4
# Deflate reaches 1032:1 on zeros. Real micrographs stay under 20:1, sparse masks under 300:1.
_MAX_RATIO = 400
_RATIO_FREE_BYTES = 64 * 2**20  # below this a bomb does no harm, and small blank images are common


@dataclass(frozen=True, slots=True)
class Limits:
    max_pixels: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Source:
    """A file being read: seekable and binary, with the name people know it by and its size in bytes."""

    file: BinaryFile
    name: str
    size: int
    limits: Limits

    def rewound(self) -> IO[bytes]:
        """The file at its start, as decoders take it."""
        self.file.seek(0)
        return cast("IO[bytes]", self.file)

    def read_at(self, offset: int, count: int) -> bytes:
        """At most ``count`` bytes from ``offset``; never asks for more than the file has."""
        self.file.seek(offset)
        return self.file.read(max(0, min(count, self.size - offset)))

    def error(self, wrong: str, *, do: str, fine: str | None = None) -> PixelError:
        return (
            PixelError(self.name, wrong, do=do)
            if fine is None
            else PixelError(self.name, wrong, do=do, fine=fine)
        )

    def check_file_size(self) -> None:
        if self.size == 0:
            raise self.error(
                "the file is empty (0 bytes)", do="Check the export or the copy and upload it again."
            )
        if self.size > self.limits.max_bytes:
            raise self.error(
                f"the file has {_megabytes(self.size)}, the limit is {_megabytes(self.limits.max_bytes)}",
                do="Crop it into smaller fields and upload those.",
            )

    def check_claim(
        self, *, height: int, width: int, channels: int, sample_bytes: int, frames: int = 1
    ) -> None:
        """Raise PixelError if decoding (channels, height, width) samples would be pointless, or that of all frames a
        bomb."""
        if height < 1 or width < 1 or channels < 1:
            raise self.error(
                f"the image has no pixels ({width} x {height})", do="Export the image again and upload that."
            )
        if height * width > self.limits.max_pixels:
            raise self.error(
                f"its header says {width} x {height} pixels ({height * width / 1e6:,.0f} megapixels), "
                f"the limit is {self.limits.max_pixels / 1e6:,.0f} megapixels",
                do="Crop it into smaller fields and upload those.",
            )
        if (
            channels > MAX_CHANNELS
            or channels * height * width > _PLANES_OF_FULL_SIZE * self.limits.max_pixels
        ):
            raise self.error(
                f"it has {channels} channels of {width} x {height} pixels, more than is accepted in one file",
                do="Keep the channels you need and upload that.",
            )
        decoded = frames * channels * height * width * sample_bytes
        if decoded > _RATIO_FREE_BYTES and decoded > _MAX_RATIO * self.size:
            raise self.error(
                f"{_megabytes(self.size)} would unpack to {_megabytes(decoded)}; "
                "the image is blank or the file was made to exhaust memory",
                do="Upload an image that holds something.",
            )


def _megabytes(count: int) -> str:
    return f"{count / 2**20:,.1f} MB"
