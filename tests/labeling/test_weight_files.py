"""Reading and merging safetensors files without loading them."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save, save_file

from labeling.weight_files import (
    WeightFileError,
    check_finite,
    merge,
    part_hash,
    read_header,
    read_tensor,
    trunk_hash,
)

TENSORS: dict[str, NDArray[Any]] = {
    "trunk.w": np.arange(6, dtype=np.float16).reshape(2, 3),
    "neck.w": np.full(5, 0.5, np.float32),
    "finder.n": np.arange(3),
}


def raw(header: object, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    return len(text).to_bytes(8, "little") + text + data


def read(content: bytes):
    return read_header(io.BytesIO(content), size=len(content))


def entry(**change: Any) -> dict[str, Any]:
    return {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} | change


def test_it_reads_what_the_library_writes():
    content = save(TENSORS, metadata={"format": "x"})
    header = read(content)
    assert header.metadata == {"format": "x"}
    assert header.shapes == {name: tensor.shape for name, tensor in TENSORS.items()}
    for name, tensor in TENSORS.items():
        np.testing.assert_array_equal(read_tensor(io.BytesIO(content), header.tensors[name]), tensor)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04\x95 a pickle, as it happens",
        (2**40).to_bytes(8, "little") + b"{}",
        raw(b"{not json"),
        raw([]),
        raw(b"[" * 100_000),
        raw({"__metadata__": {"a": 1}}),
        raw({"w": entry(dtype="PICKLE")}, b"1234"),
        raw({"w": entry(shape=[2])}, b"1234"),
        raw({"w": entry(shape=[-1, -1])}, b"1234"),
        raw({"w": entry(shape=[1.0])}, b"1234"),
        raw({"w": entry(data_offsets=[0])}, b"1234"),
        raw({"w": 5}, b"1234"),
        raw({"w": entry()}, b"12345"),
        raw({"w": entry()}, b"123"),
        raw({"w": entry(data_offsets=[4, 8])}, b"12345678"),
        raw({"v": entry(), "w": entry()}, b"1234"),
        raw({str(n): entry(shape=[0], data_offsets=[0, 0]) for n in range(10_001)}),
    ],
    ids=range(18),
)
def test_it_refuses_what_is_no_such_file(content: bytes):
    with pytest.raises(WeightFileError):
        read(content)


def test_values_that_are_no_numbers_are_refused():
    content = save({"a": np.ones(2, np.float32), "b": np.array([1, np.nan], np.float16)})
    with pytest.raises(WeightFileError, match="b holds"):
        check_finite(io.BytesIO(content), read(content))


def test_a_hash_is_of_the_values_whatever_their_width():
    half, whole = (save({"neck.w": np.full(4, 0.5, dtype)}) for dtype in (np.float16, np.float32))
    other = save({"neck.w": np.full(4, 0.25, np.float32)})
    hashes = [part_hash(io.BytesIO(content), read(content), "neck") for content in (half, whole, other)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_two_trunks_have_one_hash_that_changes_with_both():
    def of(first: float, second: float) -> str:
        content = save({"trunk.w": np.full(2, first), "finder_trunk.w": np.full(2, second)})
        return trunk_hash(io.BytesIO(content), read(content))

    assert len({of(1, 1), of(2, 1), of(1, 2)}) == 3


def test_a_merged_file_is_read_by_the_library(tmp_path: Path):
    save_file(TENSORS, tmp_path / "base.safetensors", metadata={"format": "base"})
    tuned: dict[str, NDArray[Any]] = {
        "neck.w": np.full(5, 7, np.float32),
        "cellfinder.n": np.arange(3)[::-1].copy(),
    }
    save_file(tuned, tmp_path / "tuned.safetensors")
    merged = merge(
        tmp_path / "base.safetensors",
        tmp_path / "tuned.safetensors",
        renamed={"cellfinder.": "finder."},
        metadata={"format": "base"},
    )
    (tmp_path / "merged.safetensors").write_bytes(b"".join(merged.chunks()))
    assert (tmp_path / "merged.safetensors").stat().st_size == merged.size
    with safe_open(tmp_path / "merged.safetensors", framework="numpy") as file:
        assert file.metadata() == {"format": "base"}
        assert {name: file.get_tensor(name).tolist() for name in file.keys()} == {  # noqa: SIM118
            "trunk.w": TENSORS["trunk.w"].tolist(), "neck.w": [7] * 5, "finder.n": [2, 1, 0],
        }  # fmt: skip


def test_a_neck_of_the_first_releases_has_no_prefix(tmp_path: Path):
    save_file(TENSORS, tmp_path / "base")
    save_file({"w": np.full(5, 7, np.float32)}, tmp_path / "tuned")
    merged = merge(tmp_path / "base", tmp_path / "tuned", renamed={"": "neck."}, metadata={})
    content = b"".join(merged.chunks())
    assert read_tensor(io.BytesIO(content), read(content).tensors["neck.w"]).tolist() == [7] * 5


def test_parts_of_another_shape_are_not_merged(tmp_path: Path):
    save_file(TENSORS, tmp_path / "base")
    save_file({"neck.w": np.ones(4, np.float32)}, tmp_path / "tuned")
    with pytest.raises(WeightFileError, match="no counterpart"):
        merge(tmp_path / "base", tmp_path / "tuned", renamed={}, metadata={})
