"""Other packages, each run in a Python environment of its own: it reads a task, trains, writes label maps and a note.

The task is a JSON file: `train` and `validation` (lists of {image, labels}), `predict` (list of {image, out}),
`minutes`, `seed`, `threads`, `published` (a name of published weights instead of training, or null), `settings`, `note`
(where the script writes what it did) and `folder` (for its own files). Paths are absolute.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from worker.cellsam.data.manifest import Entry
from worker.cellsam.evaluate.side_by_side import EvaluationError, image_name, label_path

MISSING_PACKAGE = 3  # exit code of a script whose package is not there


@dataclass(frozen=True, slots=True)
class Peer:
    """A script beside this module, the package that it needs, and how to install that."""

    script: Path
    package: str
    install: str


PEERS = {
    "cellpose": Peer(
        Path(__file__).with_name("cellpose_peer.py"), "cellpose", "pip install 'cellpose==3.1.1.2'"
    ),
    "stardist": Peer(
        Path(__file__).with_name("stardist_peer.py"), "stardist", "pip install 'stardist==0.9.2' tensorflow"
    ),
}


@dataclass(frozen=True, slots=True)
class PeerTask:
    """What a peer is asked to do: train on `train` for `minutes`, or take `published` weights; then label `predict`.

    `validation` is for choices that the package makes by itself, such as thresholds. The test split is only predicted.
    """

    train: Sequence[Entry]
    validation: Sequence[Entry]
    predict: Sequence[Entry]
    out: Path
    minutes: float
    seed: int = 0
    threads: int = 2
    published: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Raises EvaluationError if there is nothing to train on."""
        if self.published is None and not self.train:
            raise EvaluationError("there is nothing to train on")
        labels = self.out / "labels"
        task = {
            "train": [_pair(entry) for entry in self.train],
            "validation": [_pair(entry) for entry in self.validation],
            "predict": [
                {
                    "image": str(entry.image.resolve()),
                    "out": str(label_path(labels, image_name(entry)).resolve()),
                }
                for entry in self.predict
            ],
            "minutes": self.minutes,
            "seed": self.seed,
            "threads": self.threads,
            "published": self.published,
            "settings": dict(self.settings),
            "folder": str(self.out.resolve()),
            "note": str((self.out / "note.json").resolve()),
        }
        return json.dumps(task, indent=2)


def run_peer(peer: Peer, task: PeerTask, python: Path) -> dict[str, Any]:
    """Run the peer's script with `python` to its end and return its note; label maps lie in `task.out / "labels"`.

    Raises EvaluationError if that Python has no such package, or the script fails.
    """
    task.out.mkdir(parents=True, exist_ok=True)
    path = task.out / "task.json"
    path.write_text(task.to_json(), encoding="utf-8")
    try:
        done = subprocess.run([str(python), str(peer.script), str(path)], check=False)
    except OSError as error:
        raise EvaluationError(f"{python}: {error.strerror or error}") from error
    if done.returncode == MISSING_PACKAGE:
        raise EvaluationError(
            f"{python} has no package {peer.package}. In an environment of its own: {peer.install}; "
            "then name its Python with --python"
        )
    if done.returncode:
        raise EvaluationError(f"{peer.script.name} ended with exit code {done.returncode}; see its output")
    note: dict[str, Any] = json.loads((task.out / "note.json").read_text(encoding="utf-8"))
    return note


def _pair(entry: Entry) -> dict[str, str]:
    return {"image": str(entry.image.resolve()), "labels": str(entry.labels.resolve())}
