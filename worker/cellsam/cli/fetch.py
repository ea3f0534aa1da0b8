"""`fetch`: the released weights, with the user's own token."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from worker.cellsam.cli.arguments import Commands, add_command
from worker.cellsam.download import CELLSAM_1_2, DownloadError, Release, fetch

TOKEN = "DEEPCELL_ACCESS_TOKEN"  # noqa: S105  the variable's name
STEP = 5  # per cent between two lines of progress


def fetch_command(options: argparse.Namespace) -> None:
    """Download CellSAM's released weights (non-commercial academic use only; needs your access token)."""
    token = os.environ.get(TOKEN, "")
    if not token:
        raise DownloadError(f"set {TOKEN} to your own access token (from https://users.deepcell.org)")
    release = Release(options.service, CELLSAM_1_2.asset, options.md5)
    for path in fetch(release, token, options.out, progress=_Lines()):
        print(
            f"{path}\n  next: python -m worker.cellsam convert {path} --out {path.with_suffix('.safetensors')}"
        )


class _Lines:
    """A line of progress every few per cent, to standard error."""

    def __init__(self) -> None:
        self.shown = 0

    def __call__(self, done: float) -> None:
        percent = int(100 * done)
        if percent >= self.shown + STEP:
            self.shown = percent
            print(f"{percent} %", file=sys.stderr)


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "fetch", fetch_command)
    parser.add_argument("--out", type=Path, default=Path("weights"), help="folder (default: weights)")
    parser.add_argument("--service", default=CELLSAM_1_2.service, help="where to ask (default: %(default)s)")
    parser.add_argument("--md5", default=CELLSAM_1_2.md5, help="of the archive (default: %(default)s)")
