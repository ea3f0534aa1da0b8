"""The default model's recipe: which data, in which shares. The command line's `train` uses it."""

from __future__ import annotations

from collections.abc import Iterable

from worker.cellsam.data.manifest import Entry

# Three quarters nuclei, which most users bring and which are labelled best. The rest buys breadth: a trunk that never
# saw phase contrast cannot be fine-tuned to it in minutes.
DEFAULT_SHARES = {
    "dsb2018": 0.72,
    "usiigaci": 0.14,
    "yeastvision": 0.05,
    "colicoords_fluo": 0.03,
    "vanvliet_trpL": 0.03,
    "colicoords_bf": 0.02,
    "baby_yeast": 0.01,
}


def shares_of(entries: Iterable[Entry]) -> dict[str, float]:
    """Shares for the data sets that are there: the default ones where known, else by number of images."""
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.dataset] = counts.get(entry.dataset, 0) + 1
    known = {name: DEFAULT_SHARES[name] for name in counts if name in DEFAULT_SHARES}
    if known:
        return known
    total = sum(counts.values())
    return {name: count / total for name, count in counts.items()}
