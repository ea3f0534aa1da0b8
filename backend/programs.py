"""The command line of each of our own processes."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.processes import Child

ROOT = Path(__file__).resolve().parent.parent
QUEUES = ("interactive", "segment", "train", "ingest")  # whom somebody waits for comes first
NICENESS = {"beat": 5, "ingest": 5, "segment": 10, "train": 15}


@dataclass(frozen=True)
class Surroundings:
    """What all our processes share: their environment, the folder of their logs, and who else reads along."""

    env: Mapping[str, str]
    logs: Path
    echo: Callable[[str, str], None] | None = None


def web(around: Surroundings, *, host: str, port: int) -> Child:
    """The web process: pages, API, live events."""
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "backend.asgi:application",
        "--host",
        host,
        "--port",
        str(port),
    ]
    command += [
        "--lifespan",
        "off",
        "--no-access-log",
        "--timeout-graceful-shutdown",
        "3",
        "--log-level",
        "info",
    ]
    return _child("web", command, around, ready="Uvicorn running on")


def worker(around: Surroundings, queue: str) -> Child:
    """The worker of one queue: one process, which imports the tasks of that queue alone."""
    command = [sys.executable, "-m", "celery", "-A", "backend", "worker", "-P", "solo", "-Q", queue]
    command += ["-n", f"{queue}@%h", "-I", f"worker.tasks.{queue}", "-l", "INFO"]
    # They never talk to each other, and waiting for neighbours costs a second at every start.
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return _child(queue, command, around, ready=rf"{queue}@\S+ ready")


def beat(around: Surroundings) -> Child:
    """The clock: sends the periodic tasks that the database holds."""
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "backend",
        "beat",
        "-S",
        "django",
        "-l",
        "INFO",
        "--pidfile=",
    ]
    return _child("beat", command, around, ready="beat: Starting")


def bootstrap(around: Surroundings, *, demo: bool) -> Child:
    """Brings the database up to date, then ends. Ready when the others may start."""
    command = [sys.executable, "-m", "backend.bootstrap", *(["--demo"] if demo else [])]
    return _child("bootstrap", command, around, ready="^database ready$")


def _child(name: str, command: list[str], around: Surroundings, *, ready: str) -> Child:
    return Child(
        name,
        command,
        log=around.logs / f"{name}.log",
        ready=ready,
        env=around.env,
        cwd=ROOT,
        niceness=NICENESS.get(name, 0),
        echo=around.echo,
    )
