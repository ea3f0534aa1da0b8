"""Keeps processes running: starts again what ends by itself, and says so."""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from backend.processes import Child

Say = Callable[[str], None]
FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 30.0
STEADY_AFTER_S = 60.0  # a process that ran for this long starts again with the shortest delay
LOOK_EVERY_S = 0.1


@dataclass
class _Watched:
    child: Child
    start: Callable[[], None]
    delay_s: float = FIRST_DELAY_S
    started_at: float = 0.0
    again_at: float | None = None  # monotonic; None while it runs
    lock: threading.RLock = field(default_factory=threading.RLock)


class Watcher:
    """A set of processes by name. They are stopped in the reverse of the order in which they were added."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._watched: dict[str, _Watched] = {}
        self._closing = False
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, child: Child, start: Callable[[], None] | None = None) -> None:
        """Start a process and keep it running; `start` when it takes more than `child.start()`."""
        watched = _Watched(child, start or child.start)
        self._watched[child.name] = watched
        watched.started_at = time.monotonic()
        watched.start()
        if self._thread is None:
            self._thread = threading.Thread(target=self._look_after_all, name="watcher", daemon=True)
            self._thread.start()

    def child(self, name: str) -> Child:
        return self._watched[name].child

    def restart(self, name: str, timeout_s: float) -> None:
        """Stop it properly, start it, and wait until it is ready."""
        watched = self._watched[name]
        with watched.lock:
            watched.child.stop()
            watched.start()
            watched.again_at, watched.started_at = None, time.monotonic()
        watched.child.wait_ready(timeout_s)

    def kill(self, name: str, number: signal.Signals) -> None:
        """Kill it as an accident would, and return when it is dead."""
        watched = self._watched[name]
        with watched.lock:  # so that nobody starts it before we have seen it dead
            watched.child.kill(number)
            watched.child.wait_stopped(10)

    def wait_ready(self, name: str, timeout_s: float) -> None:
        """Wait until it runs and is ready, through any number of restarts. Raises TimeoutError."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self.child(name).is_ready:
                return
            time.sleep(LOOK_EVERY_S)
        raise TimeoutError(f"{name} was not ready after {timeout_s:.0f} s\n{self.child(name).tail()}")

    def close(self, last: tuple[str, ...], timeout_s: float) -> None:
        """Stop all at once but those named in `last`, which follow in that order: the others use them."""
        self._closing = True
        first = [name for name in self._watched if name not in last]
        for group in (first, *([name] for name in last if name in self._watched)):
            for name in group:
                self.child(name).ask_to_stop()
            deadline = time.monotonic() + timeout_s
            for name in group:
                self.child(name).wait_stopped(max(0.1, deadline - time.monotonic()))
        self._watched.clear()
        self._closed.set()
        if self._thread:
            self._thread.join()

    def _look_after_all(self) -> None:
        # This thread has to outlive the processes that it started (see Child).
        while not self._closed.wait(LOOK_EVERY_S):
            for name, watched in list(self._watched.items()):
                with watched.lock:
                    if not self._closing:
                        self._look_after(name, watched)

    def _look_after(self, name: str, watched: _Watched) -> None:
        now = time.monotonic()
        if watched.child.running:
            return
        if watched.again_at is None:
            if now - watched.started_at > STEADY_AFTER_S:
                watched.delay_s = FIRST_DELAY_S
            self._say(
                f"{name} ended by itself (exit code {watched.child.exit_code}); starting it again in "
                f"{watched.delay_s:.0f} s. Its log: {watched.child.log}"
            )
            watched.again_at = now + watched.delay_s
            watched.delay_s = min(watched.delay_s * 2, LONGEST_DELAY_S)
        elif now >= watched.again_at:
            self._start_again(name, watched)

    def _start_again(self, name: str, watched: _Watched) -> None:
        watched.again_at, watched.started_at = None, time.monotonic()
        try:
            watched.start()
        except (
            Exception
        ) as error:  # whatever it was, the next try may go better, and the others need watching
            self._say(f"{name} could not be started: {error}")
