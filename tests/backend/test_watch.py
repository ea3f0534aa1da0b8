"""What ends by itself is started again, and that is said."""

import signal
import sys
import time
from pathlib import Path

import pytest

from backend import watch
from backend.processes import Child
from backend.watch import Watcher


def sleeper(tmp_path: Path, name: str) -> Child:
    command = [sys.executable, "-u", "-c", "import time; print('ready'); time.sleep(60)"]
    return Child(name, command, log=tmp_path / f"{name}.log", ready="^ready$")


def test_a_killed_process_is_started_again(tmp_path: Path) -> None:
    said: list[str] = []
    watcher = Watcher(said.append)
    watcher.add(sleeper(tmp_path, "web"))
    watcher.wait_ready("web", 20)
    before = watcher.child("web").pid
    watcher.kill("web", signal.SIGKILL)
    watcher.wait_ready("web", 20)
    assert watcher.child("web").pid != before
    assert said == [
        f"web ended by itself (exit code -9); starting it again in 1 s. Its log: {tmp_path / 'web.log'}"
    ]
    watcher.close((), 5)


def test_the_delay_grows_while_it_keeps_failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_EVERY_S", 0.02)
    said: list[str] = []
    watcher = Watcher(said.append)
    watcher.add(
        Child("web", [sys.executable, "-c", "raise SystemExit(1)"], log=tmp_path / "web.log", ready="x")
    )
    deadline = time.monotonic() + 20
    while len(said) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    watcher.close((), 5)
    assert [line.split(" again in ")[1].split(".")[0] for line in said[:3]] == ["1 s", "2 s", "4 s"]


def test_a_restart_on_purpose_is_not_an_accident(tmp_path: Path) -> None:
    said: list[str] = []
    watcher = Watcher(said.append)
    watcher.add(sleeper(tmp_path, "web"))
    watcher.wait_ready("web", 20)
    before = watcher.child("web").pid
    watcher.restart("web", 20)
    assert watcher.child("web").pid != before
    assert said == []
    watcher.close((), 5)


def test_services_are_stopped_after_those_who_use_them(tmp_path: Path) -> None:
    watcher = Watcher(lambda text: None)
    names = ("postgres", "valkey", "web")
    children = {name: sleeper(tmp_path, name) for name in names}
    order: list[str] = []
    for name, child in children.items():
        original = child.wait_stopped

        def note(timeout_s: float, name: str = name, original: object = original) -> None:
            order.append(name)
            original(timeout_s)  # type: ignore[operator]

        child.wait_stopped = note  # type: ignore[method-assign]
        watcher.add(child)
    watcher.close(("valkey", "postgres"), 5)
    assert order == ["web", "valkey", "postgres"]
    assert not any(child.running for child in children.values())
