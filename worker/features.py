"""The feature cache: what the trunk computed, kept on disk by content and in memory by use.

A key is the hex digest of everything that shaped the features (image, channel roles, preprocessing, trunk), so a value
never goes stale: it is there or it is not. Those of a large image are several values of one key, a block each; any of
them may be there or not. The same folder serves several processes and survives any of them.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

V = TypeVar("V")

SUFFIX = ".features"
MAGIC = b"CLFT0001"
DIGEST_BYTES = hashlib.sha256().digest_size
# Eviction frees a little more than it must, so that a full cache is not scanned at every write.
LOW_WATER = 0.95
ABANDONED_AFTER_S = 3600.0


class FeatureKeyError(ValueError):
    """The key is not a hex digest, so it cannot name a file."""


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str  # of all its blocks
    path: Path
    byte_size: int
    used_at: float  # unix seconds


class FeatureStore:
    """Bytes by key in a folder, within a budget in bytes; least recently used out first.

    A key has one payload, or one for each block, counted from 0. Each payload is used and evicted by itself.

    A file is magic, SHA-256 of the payload, payload. It appears by rename, so a reader sees all of it or nothing; one
    that fails its checksum is a miss and is removed. `protected` is asked, only when something must go, for the keys
    that go last (those of submitted images: they are the training set).
    """

    def __init__(
        self,
        folder: Path,
        *,
        budget_bytes: int,
        protected: Callable[[], AbstractSet[str]] = frozenset,
    ) -> None:
        self._folder = folder
        self._budget = budget_bytes
        self._protected = protected
        self._headroom: int | None = None  # bytes until the next scan; None: not scanned yet
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, key: str, block: int | None = None) -> bytes | None:
        """The payload, or None on a miss. Counts as a use."""
        path = self._path(key, block)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
        payload = _unwrap(raw)
        if payload is None:
            path.unlink(missing_ok=True)
            return None
        with contextlib.suppress(FileNotFoundError):  # evicted by another process between the two calls
            os.utime(path)
        return payload

    def put(self, key: str, payload: bytes, block: int | None = None) -> None:
        """Store, durably, then bring the folder back under the budget. Storing a key again is harmless."""
        path = self._path(key, block)
        path.parent.mkdir(exist_ok=True)
        _write_atomically(path, MAGIC + hashlib.sha256(payload).digest() + payload)
        size = path_size(path)
        if self._headroom is None or size > self._headroom:
            self._make_room(keep=key)
        else:
            self._headroom -= size

    def holds(self, key: str, block: int | None = None) -> bool:
        """Whether a file is there; its checksum is not read."""
        return self._path(key, block).exists()

    def byte_size(self) -> int:
        """Bytes of all entries on disk."""
        return sum(entry.byte_size for entry in self._entries())

    def _path(self, key: str, block: int | None) -> Path:
        if len(key) < 8 or not set(key) <= set("0123456789abcdef"):
            raise FeatureKeyError(f"not a feature key: {key!r}")
        name = key if block is None else f"{key}-{block:06}"
        return self._folder / key[:2] / (name + SUFFIX)

    def _entries(self) -> Iterator[_Entry]:
        for path in self._folder.glob(f"*/*{SUFFIX}"):
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            key = path.name.removesuffix(SUFFIX).partition("-")[0]
            yield _Entry(key, path, stat.st_size, stat.st_mtime)

    def _make_room(self, *, keep: str) -> None:
        """Remove what was used longest ago until the folder fits. All blocks of the key that was just stored stay,
        whatever their size: an image that pushed out its own first blocks would never be there as a whole.
        """
        with self._locked():
            self._remove_abandoned()
            entries = sorted(self._entries(), key=lambda entry: entry.used_at)
            total = sum(entry.byte_size for entry in entries)
            if total > self._budget:
                last = self._protected()
                entries.sort(key=lambda entry: entry.key in last)  # stable: by use within each group
                for entry in entries:
                    if total <= self._budget * LOW_WATER:
                        break
                    if entry.key != keep:
                        entry.path.unlink(missing_ok=True)
                        total -= entry.byte_size
        # Two processes write (segment and train): each may use half of what is free before it looks again.
        self._headroom = max(0, self._budget - total) // 2

    def _remove_abandoned(self) -> None:
        """Temporary files of writers that were killed."""
        for path in self._folder.glob("*/*.part"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > ABANDONED_AFTER_S:
                    path.unlink()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time decides what goes; the lock dies with its holder."""
        with (self._folder / "eviction.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


class MemoryCache(Generic[V]):
    """Values in memory by key, within a budget in bytes; least recently used out first. One thread."""

    def __init__(self, *, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._values: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._total = 0

    def get(self, key: Hashable) -> V | None:
        """The value, or None. Counts as a use."""
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key][0]

    def put(self, key: Hashable, value: V, *, byte_size: int) -> None:
        """Keep `value`; a value larger than the whole budget is not kept."""
        if key in self._values:
            self._total -= self._values.pop(key)[1]
        if byte_size > self._budget:
            return
        self._values[key] = (value, byte_size)
        self._total += byte_size
        while self._total > self._budget:
            self._total -= self._values.popitem(last=False)[1][1]

    def __len__(self) -> int:
        return len(self._values)


def path_size(path: Path) -> int:
    """Bytes of a file that another process may remove at any time; 0 if it is gone."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _unwrap(raw: bytes) -> bytes | None:
    """The payload of a cache file, None if it is not exactly what was written."""
    start = len(MAGIC) + DIGEST_BYTES
    if raw[: len(MAGIC)] != MAGIC or len(raw) < start:
        return None
    payload = raw[start:]
    return payload if hashlib.sha256(payload).digest() == raw[len(MAGIC) : start] else None


def _write_atomically(path: Path, content: bytes) -> None:
    """Bytes and the name that leads to them reach the disk before this returns."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
