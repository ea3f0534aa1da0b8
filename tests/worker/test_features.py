"""The feature cache: durable, checked, within its budget, and safe for several processes at once."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest

from worker.features import FeatureKeyError, FeatureStore, MemoryCache

KIB = 1024
ENTRY_BYTES = KIB + 40  # magic and digest come on top of the payload


def key(number: int) -> str:
    return f"{number:064x}"


def store(folder: Path, *, entries: int = 100, protected: frozenset[str] = frozenset()) -> FeatureStore:
    return FeatureStore(folder, budget_bytes=entries * ENTRY_BYTES, protected=lambda: protected)


def used(folder: Path, number: int, seconds: float) -> None:
    """Say that an entry was last used at this time."""
    os.utime(path_of(folder, number), (seconds, seconds))


def path_of(folder: Path, number: int) -> Path:
    (path,) = folder.glob(f"*/{key(number)}.features")
    return path


def test_it_works(tmp_path: Path) -> None:
    features = store(tmp_path)
    features.put(key(1), b"tokens")
    assert features.get(key(1)) == b"tokens"
    assert features.get(key(2)) is None
    assert features.holds(key(1))
    assert not features.holds(key(2))


def test_it_survives_a_restart(tmp_path: Path) -> None:
    store(tmp_path).put(key(1), b"tokens")
    assert store(tmp_path).get(key(1)) == b"tokens"


def test_the_blocks_of_a_key_are_payloads_of_their_own(tmp_path: Path) -> None:
    features = store(tmp_path)
    features.put(key(1), b"first", 0)
    features.put(key(1), b"third", 2)
    assert [features.get(key(1), block) for block in (0, 1, 2, None)] == [b"first", None, b"third", None]
    assert [features.holds(key(1), block) for block in (0, 1, 2, None)] == [True, False, True, False]


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "garbage"])
def test_it_takes_a_corrupt_file_for_a_miss_and_removes_it(tmp_path: Path, damage: str) -> None:
    features = store(tmp_path)
    features.put(key(1), b"x" * KIB)
    path = path_of(tmp_path, 1)
    raw = path.read_bytes()
    flipped = raw[:-1] + bytes([raw[-1] ^ 1])
    damaged = {"truncate": raw[:-5], "flip": flipped, "empty": b"", "garbage": b"not a cache file"}
    path.write_bytes(damaged[damage])
    assert features.get(key(1)) is None
    assert not path.exists()
    features.put(key(1), b"again")
    assert features.get(key(1)) == b"again"


def test_it_leaves_nothing_behind_when_a_write_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    features = store(tmp_path)

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        features.put(key(1), b"x" * KIB)
    monkeypatch.undo()
    assert features.get(key(1)) is None
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_it_evicts_the_least_recently_used(tmp_path: Path) -> None:
    features = store(tmp_path, entries=4)
    for number in range(4):
        features.put(key(number), b"x" * KIB)
        used(tmp_path, number, 1000 + number)
    features.get(key(0))  # a read is a use
    features.put(key(9), b"x" * KIB)
    assert [number for number in (0, 1, 2, 3, 9) if features.holds(key(number))] == [0, 3, 9]
    assert features.byte_size() <= 4 * ENTRY_BYTES


def test_it_evicts_protected_entries_last(tmp_path: Path) -> None:
    features = store(tmp_path, entries=3, protected=frozenset({key(0), key(1)}))
    for number in range(3):
        features.put(key(number), b"x" * KIB)
        used(tmp_path, number, 1000 + number)
    features.put(key(3), b"x" * KIB)
    assert features.holds(key(0)) or features.holds(key(1))
    assert not features.holds(key(2))
    assert features.holds(key(3))


def test_it_evicts_a_block_by_itself_and_protects_those_of_a_protected_key(tmp_path: Path) -> None:
    features = store(tmp_path, entries=4, protected=frozenset({key(0)}))
    for number, block in ((0, 0), (0, 1), (1, 0), (1, 1)):
        features.put(key(number), b"x" * KIB, block)
        path = tmp_path / "00" / f"{key(number)}-{block:06}.features"
        os.utime(path, (1000 + number, 1000 + block))
    features.put(key(2), b"x" * KIB)
    assert [features.holds(key(number), block) for number, block in ((0, 0), (0, 1))] == [True, True]
    assert [features.holds(key(1), block) for block in (0, 1)] == [False, False]

    features.put(key(3), b"x" * KIB)
    features.put(key(4), b"x" * KIB)
    assert [features.holds(key(0), block) for block in (0, 1)] == [True, True]


def test_it_does_not_evict_the_first_blocks_of_the_image_whose_last_it_stores(tmp_path: Path) -> None:
    features = store(tmp_path, entries=3)
    features.put(key(7), b"x" * KIB)
    for block in range(5):
        features.put(key(1), b"x" * KIB, block)
    assert all(features.holds(key(1), block) for block in range(5))
    assert not features.holds(key(7))
    features.put(key(2), b"x" * KIB)
    assert not features.holds(key(1), 0)
    assert features.byte_size() <= 3 * ENTRY_BYTES


def test_it_keeps_within_its_budget_whatever_is_written(tmp_path: Path) -> None:
    features = store(tmp_path, entries=10)
    for number in range(60):
        features.put(key(number), b"x" * KIB)
        assert features.byte_size() <= 10 * ENTRY_BYTES
    assert features.holds(key(59))


def test_it_asks_what_is_protected_only_when_something_must_go(tmp_path: Path) -> None:
    asked: list[int] = []

    def protected() -> frozenset[str]:
        asked.append(1)
        return frozenset()

    features = FeatureStore(tmp_path, budget_bytes=20 * ENTRY_BYTES, protected=protected)
    for number in range(20):
        features.put(key(number), b"x" * KIB)
    assert not asked
    features.put(key(20), b"x" * KIB)
    assert asked


def test_it_sweeps_up_after_a_killed_writer(tmp_path: Path) -> None:
    (tmp_path / "aa").mkdir()
    old, fresh = tmp_path / "aa" / "old.part", tmp_path / "aa" / "fresh.part"
    old.write_bytes(b"half")
    fresh.write_bytes(b"being written")
    os.utime(old, (1000, 1000))
    store(tmp_path).put(key(1), b"tokens")
    assert not old.exists()
    assert fresh.exists()


@pytest.mark.parametrize("bad", ["", "../../etc/passwd", "ABCDEF0123", "abc", "a/b"])
def test_it_rejects_a_key_that_is_not_a_digest(tmp_path: Path, bad: str) -> None:
    with pytest.raises(FeatureKeyError):
        store(tmp_path).get(bad)


def hammer(folder: str, first: int, failures: multiprocessing.Queue[str]) -> None:
    """Write and read the same few keys as everybody else; report any payload that is not what its key says."""
    features = FeatureStore(Path(folder), budget_bytes=6 * (64 * KIB))
    for step in range(120):
        number = (first + step) % 12
        expected = bytes([number]) * (32 * KIB)
        features.put(key(number), expected)
        found = features.get(key((number * 7) % 12))
        if found is not None and found != bytes([(number * 7) % 12]) * (32 * KIB):
            failures.put(f"key {(number * 7) % 12} held something else")
    failures.put("done")


def test_it_serves_several_processes_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    failures: multiprocessing.Queue[str] = context.Queue()
    writers = [context.Process(target=hammer, args=(str(tmp_path), first, failures)) for first in (0, 5, 9)]
    for writer in writers:
        writer.start()
    said = [failures.get(timeout=120) for _ in writers]
    for writer in writers:
        writer.join(timeout=30)
    assert said == ["done"] * 3
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert 0 < FeatureStore(tmp_path, budget_bytes=1).byte_size() <= 6 * 64 * KIB


def test_memory_forgets_the_least_recently_used() -> None:
    memory: MemoryCache[str] = MemoryCache(budget_bytes=30)
    for name in "abc":
        memory.put(name, name.upper(), byte_size=10)
    assert memory.get("a") == "A"
    memory.put("d", "D", byte_size=10)
    assert [memory.get(name) for name in "abcd"] == ["A", None, "C", "D"]


def test_memory_does_not_keep_what_exceeds_its_budget() -> None:
    memory: MemoryCache[str] = MemoryCache(budget_bytes=30)
    memory.put("a", "A", byte_size=10)
    memory.put("b", "B", byte_size=31)
    assert memory.get("a") == "A"
    assert memory.get("b") is None


def test_memory_replaces_a_value_and_counts_it_once() -> None:
    memory: MemoryCache[str] = MemoryCache(budget_bytes=30)
    for _ in range(5):
        memory.put("a", "A", byte_size=10)
    memory.put("b", "B", byte_size=20)
    assert (memory.get("a"), memory.get("b"), len(memory)) == ("A", "B", 2)
