"""Curves and tables of all campaigns in a folder: `rounds.csv`, `summary.md` and, where matplotlib is, `curves.png`."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from statistics import mean

from labeling.annotator.cost_model import RULES, SECONDS
from labeling.annotator.curves import (
    GOALS,
    STOP_GAIN,
    STOP_ROUNDS,
    Round,
    base_cost,
    enough_after,
    over_cells,
    rounds,
    verdicts,
)
from labeling.annotator.records import Arm, ImageRecord, RunRecord, read

WAYS = {
    Arm.BOXES: "boxes from scratch",
    Arm.PRESEGMENTED: "pre-segmentation, no learning",
    Arm.LOOP: "the loop",
    Arm.POLYGONS: "polygons by hand",
}
Group = tuple[str, str, str]  # domain, arm, order


def report(folder: Path, *, goal: str | None = None) -> str:
    """Write the curves and tables of the folder's campaigns, and return the summary as Markdown."""
    images = read(ImageRecord, sorted(folder.glob("*.images.csv")))
    runs = read(RunRecord, sorted(folder.glob("*.runs.csv")))
    found = rounds(images)
    with (folder / "rounds.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Round)])
        writer.writeheader()
        writer.writerows(_rounded(one) for one in found)
    text = summary(images, runs, goal=goal)
    (folder / "summary.md").write_text(text, encoding="utf-8")
    drawn = [one for one in found if one.arm != Arm.POLYGONS]  # whose clicks are on another scale
    if drawn:
        plot(drawn, folder / "curves.png")
    return text


def summary(images: Sequence[ImageRecord], runs: Sequence[RunRecord], *, goal: str | None = None) -> str:
    """Tables by arm, by round and by run, the goals, and what the stop rule says."""
    found = rounds(images)
    parts = [_totals(images), _by_round(found, images)]
    if runs:
        parts.append(_runs(runs))
    parts.append("\n".join(f"- {sentence}" for sentence in [*_stops(found), *_goals(images, goal)]))
    return "\n\n".join(parts) + "\n"


def plot(found: Sequence[Round], path: Path) -> None:
    """Corrections per cell, all and missed and false alone, against cells corrected: a line a campaign."""
    # Not pyplot: it keeps figures alive and looks for a display. Imported here: nothing that serves has it.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True)
    groups = list(dict.fromkeys(_group(one) for one in found))
    for group, seed in dict.fromkeys((_group(one), one.seed) for one in found):
        mine = [one for one in found if (_group(one), one.seed) == (group, seed)]
        across, colour = [one.corrected_before for one in mine], f"C{groups.index(group)}"
        left.plot(across, [one.corrections_per_cell for one in mine], marker=".", color=colour)
        right.plot(across, [one.missed_and_false_per_cell for one in mine], marker=".", color=colour)
    for number, group in enumerate(groups):
        left.plot([], [], color=f"C{number}", label=", ".join(_named(group)))
    for axes, title in ((left, "missed, false and reshaped"), (right, "missed and false alone")):
        axes.set(xlabel="cells corrected before the round", title=title, ylim=(0, None))
        axes.axhline(1, color="grey", linewidth=0.8)
    left.set_ylabel("corrections per cell")
    left.legend(fontsize="x-small")
    figure.savefig(path, dpi=120)


def _group(one: Round | ImageRecord) -> Group:
    return one.domain, one.arm, one.order


def _totals(images: Sequence[ImageRecord]) -> str:
    rows = []
    for group in dict.fromkeys(_group(image) for image in images):
        mine = [image for image in images if _group(image) == group]
        blind = [image for image in mine if image.blind]
        cells = max(1, sum(image.cells for image in mine))
        rows.append(
            [
                *_named(group),
                len({image.seed for image in mine}),
                len(mine),
                cells,
                sum(image.corrections for image in mine) / cells,
                sum(image.missed_and_false_corrections for image in mine) / cells,
                sum(image.actions for image in mine) / cells,
                sum(image.seconds for image in mine) / cells,
                len(blind),
                sum(image.actions for image in blind),
                over_cells(mine, lambda image: image.f1),
                over_cells(mine, lambda image: image.mean_iou),
            ]
        )
    head = (
        "domain, way, order, seeds, images, cells, corrections per cell, missed and false, actions per cell, "
        "seconds per cell, blind images, actions on them, F1 accepted, mean IoU accepted"
    )
    return _table("All images, the blind ones included.", head, rows)


def _by_round(found: Sequence[Round], images: Sequence[ImageRecord]) -> str:
    rows = []
    for group, number in dict.fromkeys((_group(one), one.round) for one in found):
        mine = [one for one in found if (_group(one), one.round) == (group, number)]
        costs = [one.corrections_per_cell for one in mine]
        bases = [cost for one in mine if (cost := base_cost(images, one)) is not None]
        rows.append(
            [
                *_named(group),
                number,
                round(mean(one.corrected_before for one in mine)),
                mean(costs),
                f"{min(costs):.3f} to {max(costs):.3f}",
                mean(bases) if len(bases) == len(mine) else "",
                mean(one.missed_and_false_per_cell for one in mine),
                mean(one.actions_per_cell for one in mine),
                mean(one.seconds_per_cell for one in mine),
                mean(one.f1_shown for one in mine),
                ", ".join(dict.fromkeys(one.version for one in mine)),
            ]
        )
    head = (
        "domain, way, order, round, corrected before, corrections per cell, over seeds, the base on the same images, "
        "missed and false, actions per cell, seconds per cell, F1 shown, version"
    )
    return _table("By round, the blind images left out.", head, rows)


def _runs(runs: Sequence[RunRecord]) -> str:
    rows = [
        [run.domain, run.order, run.seed, run.after_round, run.decision, run.rung, run.version, run.f1_before,
         run.f1_after, round(run.seconds), run.reason]
        for run in runs
    ]  # fmt: skip
    head = "domain, order, seed, after round, decision, rung, version, F1 before, F1 after, seconds, what the gate said"
    return _table("Training runs.", head, rows)


def _named(group: Group) -> tuple[str, str, str]:
    return group[0], WAYS[Arm(group[1])], group[2]


def _table(title: str, head: str, rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table under a sentence; ``head`` names its columns, numbers that are not whole get three places."""
    names = head.split(", ")
    lines = [[f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
    return "\n".join(
        [title, "", *(f"| {' | '.join(line)} |" for line in [names, ["---"] * len(names), *lines])]
    )


def _stops(found: Sequence[Round]) -> list[str]:
    said = []
    for key in dict.fromkeys((_group(one), one.seed) for one in found if one.arm == Arm.LOOP):
        mine = [one for one in found if (_group(one), one.seed) == key]
        after = enough_after([one.corrections_per_cell for one in mine])
        number = mine[after - 1 if after else -1].round  # a round of blind images alone has no figures
        verdict = f"enough after round {number}" if after else f"not yet enough after {number} rounds"
        said.append(f"{key[0][0]}, {key[0][2]}, seed {key[1]}: {verdict}.")
    return said


def _goals(images: Sequence[ImageRecord], goal: str | None) -> list[str]:
    rules = (
        f"Enough: {STOP_ROUNDS} rounds in a row that each lowered the best earlier figure by less than {STOP_GAIN} "
        f"corrections per cell. Masks under IoU {RULES.repair_below} are repaired; prices in seconds: "
        f"{', '.join(f'{kind} {seconds:.2f}' for kind, seconds in SECONDS.items())}."
    )
    mine = [image for image in images if image.domain == goal]
    orders = dict.fromkeys(image.order for image in mine if image.arm == Arm.LOOP)
    return [*(s for order in orders if goal for s in verdicts(GOALS[goal], mine, order=order)), rules]


def _rounded(one: Round) -> dict[str, object]:
    return {
        name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(one).items()
    }
