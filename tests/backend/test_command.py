"""`python -m backend demo`, as a person at a terminal meets it. `make demo` is this after `make setup`."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend.processes import free_port
from backend.progress import ProgressReader
from tests.conftest import CLEAN_ENVIRON

ROOT = Path(__file__).parent.parent.parent

# The command reads .env, which may name somebody's real services; what is set already wins over it.
NOT_FROM_ENV_FILE = {"DATABASE_URL": "", "REDIS_URL": "", "SECRET_KEY": ""}


@contextmanager
def running(*words: str, data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The command, from its start until it says READY, and what it printed until then."""
    environ = {
        **CLEAN_ENVIRON,
        **NOT_FROM_ENV_FILE,
        "CELLLOOP_DATA_DIR": str(data_dir),
        "PORT": str(free_port()),
    }
    command = [sys.executable, "-m", "backend", *words]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, list(lines_until_ready(process))
        finally:
            process.kill()


def lines_until_ready(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line.rstrip("\n")
        if line.startswith("READY"):
            return
    pytest.fail("it ended without saying READY")


def processes_of(data_dir: Path) -> dict[int, str]:
    """Living processes that were started for this data folder."""
    wanted = str(data_dir).encode()
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if not entry.name.isdigit():
                continue
            command = (entry / "cmdline").read_bytes()
            if wanted in command + (entry / "environ").read_bytes():
                found[int(entry.name)] = command.replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


@pytest.mark.slow
def test_demo_then_an_accident_then_a_second_start_with_the_data(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with running("demo", data_dir=data_dir) as (process, lines):
        ready = re.fullmatch(r"READY  (http://localhost:\d+)  user admin  password in (\S+)", lines[-1])
        assert ready
        password = Path(ready[2]).read_text().strip()
        assert sum(password in line for line in lines) == 1
        assert any(re.search(r"segmenting \d+/\d+", line) for line in lines)
        first = ProgressReader(ready[1], password).read()
        assert (first.done, first.failed) == (first.total, 0)
        assert first.total >= 5
        process.kill()
        process.wait()
    wait_until_gone(data_dir, 60)  # PostgreSQL writes everything down first

    with running("demo", data_dir=data_dir) as (process, lines):
        assert not any(password in line for line in lines)
        url = lines[-1].split()[1]
        assert ProgressReader(url, password).read() == first
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    wait_until_gone(data_dir, 5)


def wait_until_gone(data_dir: Path, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while processes_of(data_dir) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_of(data_dir) == {}


def test_manage_says_when_nothing_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "backend", "manage", "check"],
        cwd=ROOT,
        env={**CLEAN_ENVIRON, **NOT_FROM_ENV_FILE, "CELLLOOP_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "nothing runs" in done.stderr
