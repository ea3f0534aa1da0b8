"""A run's figures as they come: one CSV file for each kind of row, and the same numbers for TensorBoard."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, get_args

from tensorboardX import SummaryWriter

Kind = Literal["steps", "epochs"]
TENSORBOARD = "tensorboard"  # folder inside the run's
_FORMAT = ".8g"  # more digits than float32 has


class RunLog:
    """Rows of numbers, each with the step it was taken at. Rows after `step`, which a stopped run wrote after its last
    snapshot, are forgotten: the run that goes on writes them again.
    """

    def __init__(self, folder: Path, *, step: int) -> None:
        self.folder = folder
        for kind in get_args(Kind):
            _forget_after(folder / f"{kind}.csv", step)
        self._board = SummaryWriter(str(folder / TENSORBOARD), purge_step=step + 1)

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._board.close()

    def add(self, kind: Kind, step: int, values: Mapping[str, float]) -> None:
        """A line of `<kind>.csv`. All rows of a kind have the same names."""
        path = self.folder / f"{kind}.csv"
        row = {"step": str(step)} | {name: format(value, _FORMAT) for name, value in values.items()}
        fresh = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(row))
            if fresh:
                writer.writeheader()
            writer.writerow(row)
        for name, value in values.items():
            self._board.add_scalar(f"{kind}/{name}", value, step)


def _forget_after(path: Path, step: int) -> None:
    if not path.exists():
        return
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        names, rows = list(reader.fieldnames or []), [row for row in reader if int(row["step"]) <= step]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=names)
        writer.writeheader()
        writer.writerows(rows)
