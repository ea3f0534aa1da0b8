"""Child processes: started with a log, watched for a line that says they are ready, stopped in order."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

EXEC_CHILD = Path(__file__).with_name("exec_child.py")
LOG_LIMIT_BYTES = 10_000_000


class ChildFailed(RuntimeError):
    """A child ended, or said nothing in time, before it was ready. The text holds the end of its log."""


class Child:
    """One process that we start, with its log.

    It runs in a session of its own, so that Ctrl-C reaches only us and we stop things in order, and it
    gets `death_signal` from the kernel when we are killed. Start it from a thread that stays: on Linux
    the death of the *thread* that started a child counts as the parent's death.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        ready: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        death_signal: signal.Signals = signal.SIGKILL,
        niceness: int = 0,
        uid: int = -1,
        echo: Callable[[str, str], None] | None = None,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self._ready_pattern = re.compile(ready)
        self._env = env
        self._cwd = cwd
        self._stop_signal = stop_signal
        self._death_signal = death_signal
        self._niceness = niceness
        self._uid = uid
        self._echo = echo
        self._process: subprocess.Popen[bytes] | None = None
        self._pump: threading.Thread | None = None
        self._ready_or_ended = threading.Event()
        self._ready = False
        self._tail: deque[str] = deque(maxlen=30)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll() if self._process else None

    @property
    def is_ready(self) -> bool:
        """Whether it runs and has said that it is ready."""
        return self.running and self._ready

    def start(self) -> None:
        """Start it; returns at once."""
        if self.running:
            raise RuntimeError(f"{self.name} is running already")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".1.log"))
        self._ready_or_ended.clear()
        self._ready = False
        self._tail.clear()
        words = [self._death_signal.value, self._niceness, self._uid, os.getpid()]
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(EXEC_CHILD), *map(str, words), *self.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._env,
            cwd=self._cwd,
            start_new_session=True,
        )
        self._pump = threading.Thread(target=self._read_output, args=(self._process,), daemon=True)
        self._pump.start()

    def wait_ready(self, timeout_s: float) -> None:
        """Wait for the line that says it is ready. Raises ChildFailed when it ended or took too long."""
        if not self._ready_or_ended.wait(timeout_s):
            raise ChildFailed(f"{self.name} was not ready after {timeout_s:.0f} s\n{self.tail()}")
        if not self._ready:
            raise ChildFailed(f"{self.name} did not start (exit code {self.exit_code})\n{self.tail()}")

    def wait_succeeded(self, timeout_s: float) -> None:
        """Wait for a child that ends by itself. Raises ChildFailed when it failed or took too long."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise ChildFailed(f"{self.name} did not end in {timeout_s:.0f} s\n{self.tail()}") from error
        if code != 0:
            raise ChildFailed(f"{self.name} failed (exit code {code})\n{self.tail()}")

    def tail(self) -> str:
        """The last lines of this run's log, and where the rest is."""
        return "\n".join([*self._tail, f"(log: {self.log})"])

    def stop(self, timeout_s: float = 10) -> None:
        """Ask it to stop, wait, then insist. No-op when it is not running."""
        self.ask_to_stop()
        self.wait_stopped(timeout_s)

    def ask_to_stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(self._stop_signal)

    def wait_stopped(self, timeout_s: float) -> None:
        """Wait until it has ended; killed when it has not by then."""
        if self._process is None:
            return
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._pump:
            self._pump.join(timeout=2)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal without waiting, as an accident would."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)

    def _read_output(self, process: subprocess.Popen[bytes]) -> None:
        output = process.stdout
        assert output is not None  # noqa: S101 - Popen was given a pipe
        with output, self.log.open("ab", buffering=0) as log:
            for line in output:
                self._take_line(line, log)
        process.wait()
        if process is self._process:
            self._ready_or_ended.set()

    def _take_line(self, line: bytes, log: IO[bytes]) -> None:
        log.write(line)
        text = line.decode(errors="replace").rstrip()
        self._tail.append(text)
        if self._echo:
            self._echo(self.name, text)
        if not self._ready and self._ready_pattern.search(text):
            self._ready = True
            self._ready_or_ended.set()


def free_port(preferred: int = 0, host: str = "127.0.0.1") -> int:
    """`preferred` or the next free TCP port within 100 after it; 0 takes any free one."""
    for port in range(preferred, preferred + 100) if preferred else [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no free port from {preferred} to {preferred + 99} on {host}")
