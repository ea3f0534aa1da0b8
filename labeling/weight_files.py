"""Safetensors files without loading them: what they hold, checked before anything is allocated; two made into one.

The format: 8 bytes of length (little-endian), so many bytes of JSON that name each tensor's dtype, shape and place,
then the values without a gap. Reading one costs its header; merging copies bytes. Pure.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

MAX_HEADER_BYTES = 4 * 2**20
MAX_TENSORS = 10_000
CHUNK_BYTES = 2**20
DTYPES: dict[str, np.dtype[Any]] = {
    "F16": np.dtype("<f2"), "F32": np.dtype("<f4"), "F64": np.dtype("<f8"), "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"), "U8": np.dtype("u1"), "BOOL": np.dtype("?"),
}  # fmt: skip


class WeightFileError(ValueError):
    """Not a safetensors file that we take; the message says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """A tensor's kind, and where its bytes are in the file: [start, end)."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Header:
    metadata: Mapping[str, str]
    tensors: Mapping[str, Place]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: place.shape for name, place in self.tensors.items()}


@dataclass(frozen=True, slots=True)
class Merged:
    """A file in pieces: its header, then ranges [start, end) of files that are there."""

    header: bytes
    ranges: tuple[tuple[Path, int, int], ...]

    @property
    def size(self) -> int:
        return len(self.header) + sum(end - start for _, start, end in self.ranges)

    def chunks(self) -> Iterator[bytes]:
        """The file's bytes, a piece at a time."""
        yield self.header
        for path, start, end in self.ranges:
            with path.open("rb") as file:
                file.seek(start)
                while start < end:
                    chunk = file.read(min(CHUNK_BYTES, end - start))
                    if not chunk:
                        raise WeightFileError(f"{path.name} ends too early")
                    start += len(chunk)
                    yield chunk


def read_header(file: IO[bytes], *, size: int) -> Header:
    """Metadata and places of the tensors of a file of ``size`` bytes.

    Raises WeightFileError unless the header is well formed and the tensors fill the file exactly.
    """
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
        raise WeightFileError("it is not a safetensors file")
    try:
        raw = json.loads(file.read(length))
    except (ValueError, RecursionError) as error:
        raise WeightFileError("it is not a safetensors file: its header is no JSON") from error
    if not isinstance(raw, dict):
        raise WeightFileError("it is not a safetensors file: its header is no object")
    metadata = raw.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise WeightFileError("its metadata are not texts")
    if len(raw) > MAX_TENSORS:
        raise WeightFileError(f"it names more than {MAX_TENSORS:,} tensors")
    tensors = {name: _place(name, value, 8 + length) for name, value in raw.items()}
    _check_filled(tensors, 8 + length, size)
    return Header(metadata, tensors)


def read_tensor(file: IO[bytes], place: Place) -> NDArray[Any]:
    """The values of one tensor, in its own dtype and shape. Raises WeightFileError if the file ends too early."""
    file.seek(place.start)
    data = file.read(place.end - place.start)
    if len(data) != place.end - place.start:
        raise WeightFileError("it ends too early")
    return np.frombuffer(data, dtype=DTYPES[place.dtype]).reshape(place.shape)


def part_hash(file: IO[bytes], header: Header, part: str) -> str:
    """SHA-256 over names, shapes and float32 values of the tensors of one part, names without its prefix."""
    digest, prefix = hashlib.sha256(), f"{part}."
    for name in sorted(name for name in header.tensors if name.startswith(prefix)):
        tensor = np.ascontiguousarray(read_tensor(file, header.tensors[name]), dtype=np.float32)
        digest.update(f"{name.removeprefix(prefix)}{tuple(tensor.shape)}".encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()


def trunk_hash(file: IO[bytes], header: Header) -> str:
    """That of the trunk; where CellFinder reads a trunk of its own, the SHA-256 over both trunks' hashes."""
    own = [
        part
        for part in ("trunk", "finder_trunk")
        if any(name.startswith(f"{part}.") for name in header.tensors)
    ]
    hashes = [part_hash(file, header, part) for part in own]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def check_finite(file: IO[bytes], header: Header) -> None:
    """Raise WeightFileError if a value is not a number, or infinite."""
    for name, place in header.tensors.items():
        tensor = read_tensor(file, place)
        if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
            raise WeightFileError(f"{name} holds values that are no finite numbers")


def merge(base: Path, tuned: Path, *, renamed: Mapping[str, str], metadata: Mapping[str, str]) -> Merged:
    """The tensors of ``base``, those of ``tuned`` in place of its own of the same name.

    ``renamed`` gives prefixes of the tuned names another form: {"": "neck."} puts one before each. Raises
    WeightFileError if a tuned tensor has no counterpart of its shape.
    """
    sources = {name: (base, place) for name, place in _header_of(base).tensors.items()}
    for name, place in _header_of(tuned).tensors.items():
        prefix = next((prefix for prefix in renamed if name.startswith(prefix)), None)
        full = name if prefix is None else renamed[prefix] + name.removeprefix(prefix)
        if full not in sources or sources[full][1].shape != place.shape:
            raise WeightFileError(f"{tuned.name}: {name} has no counterpart in {base.name}")
        sources[full] = tuned, place
    return _laid_out(sources, metadata)


def _laid_out(sources: Mapping[str, tuple[Path, Place]], metadata: Mapping[str, str]) -> Merged:
    # Wide values first, so that each tensor begins where a reader may map it.
    order = sorted(sources, key=lambda name: (-DTYPES[sources[name][1].dtype].itemsize, name))
    entries: dict[str, Any] = {"__metadata__": dict(metadata)}
    offset = 0
    for name in order:
        place = sources[name][1]
        end = offset + place.end - place.start
        entries[name] = {"dtype": place.dtype, "shape": list(place.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    ranges = tuple((sources[name][0], sources[name][1].start, sources[name][1].end) for name in order)
    return Merged(len(text).to_bytes(8, "little") + text, ranges)


def _header_of(path: Path) -> Header:
    with path.open("rb") as file:
        return read_header(file, size=path.stat().st_size)


def _place(name: str, value: object, data: int) -> Place:
    """``data`` is where the values begin in the file."""
    try:
        dtype, shape, (start, end) = value["dtype"], value["shape"], value["data_offsets"]  # type: ignore[index]
        numbers = [*shape, start, end]
        itemsize = DTYPES[dtype].itemsize
    except (TypeError, KeyError, ValueError) as error:
        raise WeightFileError(f"{name[:100]} is not described as a tensor of a kind that we take") from error
    if any(type(number) is not int or number < 0 for number in numbers):
        raise WeightFileError(f"{name[:100]} has a shape or a place that cannot be")
    if math.prod(shape) * itemsize != end - start:
        raise WeightFileError(f"{name[:100]} does not fill its place")
    return Place(dtype, tuple(shape), data + start, data + end)


def _check_filled(tensors: Mapping[str, Place], start: int, size: int) -> None:
    for place in sorted(tensors.values(), key=lambda place: (place.start, place.end)):
        if place.start != start:
            raise WeightFileError("its tensors overlap or leave gaps")
        start = place.end
    if start != size:
        raise WeightFileError("its tensors do not fill it")
