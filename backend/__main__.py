"""`python -m backend demo | run | manage ...`: the application on this machine, in the foreground.

demo    everything, with a project of example images
run     the same without the example project
manage  manage.py against the stack that runs, for example: python -m backend manage shell
"""

import argparse
import os
import signal
import sys
import threading
import time
import urllib.error
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

import environ

from backend.processes import ChildFailed
from backend.progress import Progress, ProgressReader
from backend.supervisor import ROOT, AlreadyRunning, Stack

STALLED_AFTER_S = 180  # no image finished for so long: say READY all the same, people can look at the page


class Stopped(BaseException):
    """Somebody asked us to stop."""


def main() -> None:
    """Parse the command line and do it."""
    environ.Env.read_env(str(ROOT / ".env"))  # what the environment has already wins
    if sys.argv[1:2] == ["manage"]:
        manage(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m backend", description=__doc__.split("\n", 1)[0])
    parser.add_argument("what", choices=["demo", "run", "manage"])
    parser.add_argument("--verbose", action="store_true", help="show every line of every process")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    sys.exit(run(demo=options.what == "demo", verbose=options.verbose))


def run(*, demo: bool, verbose: bool) -> int:
    """Start everything, say READY, stay until stopped; the exit code."""
    begun = time.monotonic()
    stack = Stack(
        data_dir=data_dir(),
        port=int(os.environ.get("PORT") or "8000"),
        host=os.environ.get("HOST") or "127.0.0.1",
        demo=demo,
        say=say,
        echo=_echo if verbose else None,
    )
    try:
        with stack:
            if demo:
                show_progress(stack)
            say(
                f"everything runs after {time.monotonic() - begun:.0f} s; logs in {_short(stack.logs)}; Ctrl-C stops"
            )
            print(f"READY  {stack.url}  user admin  password in {_short(stack.password_file)}", flush=True)
            threading.Event().wait()
    except Stopped:
        pass
    except (AlreadyRunning, ChildFailed, OSError) as error:
        print(f"cannot start: {error}", file=sys.stderr, flush=True)
        return 1
    say("stopped")
    return 0


def manage(arguments: list[str]) -> NoReturn:
    """Become manage.py with the settings of the running stack (or of the environment, where it has them)."""
    kept = data_dir() / "running.env"
    if kept.exists():
        environ.Env.read_env(str(kept), overwrite=True)
    elif not os.environ.get("DATABASE_URL"):
        sys.exit("nothing runs: start `make run` first, or set DATABASE_URL, REDIS_URL and SECRET_KEY")
    os.execv(sys.executable, [sys.executable, str(ROOT / "manage.py"), *arguments])


def data_dir() -> Path:
    return Path(os.environ.get("CELLLOOP_DATA_DIR") or ROOT / ".cellloop")


def show_progress(stack: Stack, write: Callable[[str], None] | None = None) -> None:
    """Say how many demo images are segmented, until all are or nothing moves any more."""
    try:
        reader = ProgressReader(stack.url, stack.admin_password)
    except (FileNotFoundError, urllib.error.HTTPError):
        return  # the admin has another password by now; the pages show the progress as well
    shown, changed = Progress(-1, 0, 0), time.monotonic()
    while time.monotonic() - changed < STALLED_AFTER_S:
        progress = reader.read()
        if progress != shown:
            if progress.done < progress.total or shown.total > 0:
                (write or say)(f"segmenting {progress.done}/{progress.total}")
            shown, changed = progress, time.monotonic()
        if progress.done >= progress.total:
            break
        time.sleep(0.5)
    if shown.failed:
        say(f"{shown.failed} images failed; the project's page says why")


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def _echo(name: str, line: str) -> None:
    print(f"{name:>11} | {line}", flush=True)


def _short(path: Path) -> str:
    """As seen from where the person is, when that is shorter."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _stop(number: int, frame: FrameType | None) -> None:
    for again in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(
            again, signal.SIG_DFL
        )  # a second Ctrl-C ends us at once, and the kernel ends the others
    print(flush=True)
    say("stopping")
    raise Stopped


if __name__ == "__main__":
    main()
