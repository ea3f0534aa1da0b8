"""What the processes weigh once they have worked, and how long a start takes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from backend.programs import ROOT
from backend.supervisor import Stack
from tests.benchmarks.report import Figure

OURS = ("web", "beat", "ingest", "segment", "interactive", "train")


def memory(stack: Stack) -> Iterator[Figure]:
    """Resident memory of each process, and whether the web process has torch."""
    for name in OURS:
        pid = stack.pid(name)
        assert pid is not None, f"{name} does not run"
        yield Figure(
            f"memory of the process {name}", resident_mb(pid), "MB", note="resident, after all the above"
        )
    pid = stack.pid("web")
    mapped = Path(f"/proc/{pid}/maps").read_text()
    yield Figure("files of torch in the web process", float(mapped.count("torch")), "", 0)


def second_start(folder: Path, environ: dict[str, str]) -> Iterator[Figure]:
    """From nothing running to everything answering, with the data of the first start."""
    started = time.perf_counter()
    with Stack(data_dir=folder, port=0, environ=environ):
        yield Figure(
            "a second start", time.perf_counter() - started, "s", note="all processes ready, data kept"
        )


def fresh_clone(environ: dict[str, str]) -> Iterator[Figure]:
    """`git clone`, `make demo`, until READY; packages come from the usual caches and indexes."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "cellloop"
        git, make = shutil.which("git") or "git", shutil.which("make") or "make"
        started = time.perf_counter()
        subprocess.run([git, "clone", "--quiet", str(ROOT), str(clone)], check=True)
        with subprocess.Popen(
            [make, "demo"], cwd=clone, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        ) as demo:  # fmt: skip
            assert demo.stdout is not None
            said = []
            for line in demo.stdout:
                said.append(line)
                if line.startswith("READY"):
                    break
            seconds = time.perf_counter() - started
            os.killpg(demo.pid, signal.SIGINT)  # as Ctrl-C does: to make and all that it started
            demo.stdout.read()
        assert said, "make demo said nothing"
        assert said[-1].startswith("READY"), "".join(said[-20:])
    yield Figure("from a fresh clone to READY", seconds / 60, "min", note="demo images segmented")


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
