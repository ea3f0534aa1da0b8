"""Child processes: ready, ended, stopped, orphaned."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from backend.processes import Child, ChildFailed, free_port

ROOT = Path(__file__).parent.parent.parent


def child(tmp_path: Path, program: str, **options: object) -> Child:
    command = [sys.executable, "-u", "-c", textwrap.dedent(program)]
    return Child("sample", command, log=tmp_path / "sample.log", ready="^ready$", **options)  # type: ignore[arg-type]


def test_it_works(tmp_path: Path) -> None:
    process = child(tmp_path, "import time; print('hello'); print('ready'); time.sleep(60)")
    process.start()
    process.wait_ready(20)
    assert process.is_ready
    process.stop()
    assert not process.running
    assert (tmp_path / "sample.log").read_text() == "hello\nready\n"


def test_a_child_that_ends_early_tells_its_last_words(tmp_path: Path) -> None:
    process = child(tmp_path, "import sys; print('no such table'); sys.exit(3)")
    process.start()
    with pytest.raises(ChildFailed, match=r"(?s)exit code 3.*no such table"):
        process.wait_ready(20)


def test_a_child_that_is_never_ready_is_an_error(tmp_path: Path) -> None:
    process = child(tmp_path, "import time; time.sleep(60)")
    process.start()
    with pytest.raises(ChildFailed, match="not ready after"):
        process.wait_ready(0.2)
    process.stop()


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    process = child(
        tmp_path,
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(60)",
    )
    process.start()
    process.wait_ready(20)
    process.stop(timeout_s=0.2)
    assert process.exit_code == -signal.SIGKILL


def test_ctrl_c_in_the_terminal_does_not_reach_it(tmp_path: Path) -> None:
    process = child(tmp_path, "import time; print('ready'); time.sleep(60)")
    process.start()
    process.wait_ready(20)
    assert process.pid is not None
    assert os.getpgid(process.pid) != os.getpgid(0)
    process.stop()


def test_it_runs_nicely_when_told(tmp_path: Path) -> None:
    process = child(tmp_path, "import os; print('nice', os.nice(0)); print('ready')", niceness=5)
    process.start()
    process.wait_ready(20)
    process.wait_succeeded(20)
    assert f"nice {os.nice(0) + 5}" in process.tail()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_dies_with_its_parent(tmp_path: Path, number: signal.Signals) -> None:
    program = f"""
        import pathlib, sys, time
        from backend.processes import Child
        command = [sys.executable, "-u", "-c", "import time; print('ready'); time.sleep(60)"]
        child = Child("sample", command, log=pathlib.Path({str(tmp_path / "log")!r}), ready="ready")
        child.start()
        child.wait_ready(20)
        print(child.pid, flush=True)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.send_signal(number)
        parent.wait()
    deadline = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(pid)


def is_alive(pid: int) -> bool:
    """Exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_port_in_use_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port(port) <= port + 100
    assert free_port() > 0
