"""What a killed run left behind: servers still going, and lock files that name processes long gone."""

import os
import signal
import time
from pathlib import Path


class StillRunning(RuntimeError):
    """Another server holds the folder and does not go away."""


def end_leftovers(folder: Path, stop_signal: signal.Signals, timeout_s: float = 15) -> None:
    """Ask servers whose working directory is `folder` to stop, and wait until none is left.

    PostgreSQL and Valkey both work from their data folder, which names them for certain: a pid in a file may
    by now be a zombie's or an unrelated process's. Linux only; elsewhere the servers' own checks stand.
    """
    deadline = time.monotonic() + timeout_s
    asked: set[int] = set()
    while processes := _processes_in(folder):
        if time.monotonic() > deadline:
            raise StillRunning(f"another server (process {min(processes)}) still uses {folder}")
        first = min(processes)  # the oldest is the parent of the others
        if first not in asked:
            asked.add(first)
            os.kill(first, stop_signal)
        time.sleep(0.05)


def can_look() -> bool:
    """Whether this system shows the working directory of a process."""
    return Path("/proc/self/cwd").exists()


def _processes_in(folder: Path) -> set[int]:
    """Living processes whose working directory is `folder`. A zombie has none."""
    if not can_look():
        return set()
    found = set()
    wanted = str(folder.resolve())
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if str((entry / "cwd").readlink()) == wanted:
                found.add(int(entry.name))
        except OSError:
            continue  # ended meanwhile, or another user's
    return found
