"""The default model's recipe: which kinds of images, in which shares. The command line's `train` uses it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from worker.cellsam.data.manifest import Entry

# Kinds of images that a lab might bring, and each modality's share of the crops. Nuclei, which most users bring and
# which are labelled best, get more than a third; the rest buys breadth, since a trunk that never saw phase contrast
# cannot be fine-tuned to it in minutes.
DOMAINS: dict[str, dict[str, float]] = {
    "nuclei": {"nuclei_fluorescence_small": 0.20, "nuclei_fluorescence_large": 0.17},
    "stained": {"HE_purple": 0.15, "brightfield_cytology": 0.04},
    "phase-culture": {"phase_contrast_cell_culture": 0.18, "simulated_phase": 0.04},
    "yeast": {"yeast_phase": 0.04, "yeast_brightfield": 0.01},
    "bacteria": {
        "bacteria_fluorescence": 0.03,
        "bacteria_brightfield": 0.02,
        "bacteria_phase": 0.02,
        "simulated_rods": 0.03,
    },
    "tissue": {"simulated_tissue": 0.07},
}


def entries_without(domains: Collection[str], entries: Iterable[Entry]) -> list[Entry]:
    """The entries that are of none of the named domains."""
    left_out = {modality for domain in domains for modality in DOMAINS[domain]}
    return [entry for entry in entries if entry.modality not in left_out]


def shares_of(entries: Iterable[Entry], *, without: Collection[str] = ()) -> dict[str, float]:
    """Each modality's share of the crops, in sum 1, without the named domains.

    Where a modality is not in `DOMAINS` (a lab's own data), all shares go by the root of the number of images.
    """
    counts: dict[str, int] = {}
    for entry in entries_without(without, entries):
        counts[entry.modality] = counts.get(entry.modality, 0) + 1
    known = {modality: share for shares in DOMAINS.values() for modality, share in shares.items()}
    raw = known if set(counts) <= set(known) else {name: count**0.5 for name, count in counts.items()}
    total = sum(raw[name] for name in counts)
    return {name: raw[name] / total for name in sorted(counts)}
