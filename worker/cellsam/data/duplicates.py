"""Near-duplicate fields across splits: two images of which one shows, in whole or in part, what the other shows.

A split by image leaks where several files were cut out of one field or taken of it twice. Candidates are found by the
peak of the cross-correlation of high-passed pixels over all shifts (one product of Fourier transforms a pair); a pair
counts if at that shift the pixels that both show are alike. Turned, mirrored and rescaled copies are not looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from worker.cellsam.channels import model_channels
from worker.cellsam.data.manifest import Entry

WINDOW = 128  # pixels on a side of what is compared, after averaging blocks of 2 x 2
HIGH_PASS = 6.0  # standard deviation of the blur that is taken away, so that shading does not look alike
CANDIDATE = 0.15  # peak correlation from which a pair is looked at
LIKENESS = (
    0.75  # correlation of the shared pixels from which it counts; few round nuclei reach about 0.65 by chance
)
SHARED = 0.2  # of the window that both must show
COMPARED_AT_ONCE = 64

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pair:
    """`kept` is in a split that figures are reported on, `other` in one that is learned from."""

    kept: Entry
    other: Entry
    likeness: float  # correlation of the pixels that both show, at most 1


def near_duplicates(kept: Sequence[Entry], others: Sequence[Entry]) -> list[Pair]:
    """Pairs within a data set, the most alike first."""
    pairs = []
    for dataset in sorted({entry.dataset for entry in kept} & {entry.dataset for entry in others}):
        members = [entry for entry in others if entry.dataset == dataset]
        windows = np.stack([window_of(_read_plane(entry)) for entry in members])
        spectra = fft.rfft2(windows)
        for entry in (entry for entry in kept if entry.dataset == dataset):
            likeness = likenesses(window_of(_read_plane(entry)), windows, spectra)
            pairs += [
                Pair(entry, members[index], float(likeness[index])) for index in np.flatnonzero(likeness)
            ]
    return sorted(pairs, key=lambda pair: -pair.likeness)


def without_near_duplicates(
    entries: Sequence[Entry], kept: Sequence[Entry]
) -> tuple[list[Entry], list[Pair]]:
    """`entries` but for those that near-duplicate one of `kept`, and the pairs that were found."""
    pairs = near_duplicates(kept, entries)
    leaking = {pair.other.image for pair in pairs}
    return [entry for entry in entries if entry.image not in leaking], pairs


def window_of(plane_hw: Plane) -> Plane:
    """An image's middle at half resolution, high-passed and of unit energy: (WINDOW, WINDOW), blank where it ends."""
    halved = ndimage.uniform_filter(plane_hw, 2)[::2, ::2]
    window = np.zeros((WINDOW, WINDOW), dtype=np.float32)
    height, width = (min(WINDOW, side) for side in halved.shape)
    top, left = (halved.shape[0] - height) // 2, (halved.shape[1] - width) // 2
    middle = halved[top : top + height, left : left + width]
    window[:height, :width] = middle - ndimage.gaussian_filter(middle, HIGH_PASS)
    energy = float(np.linalg.norm(window))
    return window / np.float32(energy) if energy > 0 else window


def likenesses(one: Plane, many: NDArray[np.float32], spectra: NDArray[np.complex64]) -> NDArray[np.float32]:
    """(N,) correlation of the shared pixels of `one` with each of `many` (whose transforms are `spectra`); 0 for those
    that are not near-duplicates.
    """
    found = np.zeros(len(many), dtype=np.float32)
    transform = fft.rfft2(one)
    for start in range(0, len(many), COMPARED_AT_ONCE):
        shifted = fft.irfft2(
            transform.conj() * spectra[start : start + COMPARED_AT_ONCE], s=(WINDOW, WINDOW)
        ).reshape(-1, WINDOW * WINDOW)
        best = shifted.argmax(axis=1)
        for index in np.flatnonzero(shifted.max(axis=1) >= CANDIDATE):
            shift = divmod(int(best[index]), WINDOW)
            found[start + index] = _shared_correlation(one, many[start + index], shift)
    found[found < LIKENESS] = 0
    return found


def _shared_correlation(a: Plane, b: Plane, shift: tuple[int, int]) -> float:
    """Pearson correlation of the pixels that both show when `b` is moved back by `shift`; 0 if they share too few.

    A circular shift stands for two real ones along each axis: the one with the larger overlap is taken.
    """
    parts = [_overlap(by) for by in shift]
    of_a = a[parts[0][0], parts[1][0]]
    of_b = b[parts[0][1], parts[1][1]]
    if of_a.size < SHARED * WINDOW * WINDOW or of_a.std() == 0 or of_b.std() == 0:
        return 0.0
    return float(np.corrcoef(of_a.ravel(), of_b.ravel())[0, 1])


def _overlap(shift: int) -> tuple[slice, slice]:
    """Along one axis: the pixels of `a`, and those of `b` that show the same."""
    if shift <= WINDOW // 2:
        return slice(0, WINDOW - shift), slice(shift, WINDOW)
    return slice(WINDOW - shift, WINDOW), slice(0, shift)


def _read_plane(entry: Entry) -> Plane:
    image, roles = entry.read_image()
    return np.asarray(model_channels(image, roles)[2], dtype=np.float32)
