"""Runs the whole application on one machine: the services, the web process, a worker per queue, and beat.

Tests use `Stack` directly; `backend.console` is what `make demo` and `make run` start.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from backend import programs
from backend.embedded import Postgres, Valkey
from backend.private_files import kept_secret, write_private
from backend.processes import Child, ChildFailed, free_port
from backend.watch import Watcher

ROOT = programs.ROOT
START_TIMEOUT_S = 300  # seconds on a quiet machine, minutes on one that trains meanwhile
STOP_TIMEOUT_S = 5  # a worker that still computes is killed then: its job has a lease and is taken up again
EVERYBODY = ("postgres", "valkey", "web", "beat", *programs.QUEUES)
OUR_SETTINGS = ("DATABASE_URL", "REDIS_URL", "CELLLOOP_DATA_DIR", "SECRET_KEY")


class AlreadyRunning(RuntimeError):
    """Another stack uses this data folder."""


class Stack:
    """Everything, as a context manager: `with Stack(data_dir=..., port=0) as stack: stack.url`."""

    def __init__(
        self,
        *,
        data_dir: Path,
        port: int = 8000,
        host: str = "127.0.0.1",
        demo: bool = False,
        environ: Mapping[str, str] | None = None,
        durable: bool = True,
        say: Callable[[str], None] = lambda text: None,
        echo: Callable[[str, str], None] | None = None,
    ) -> None:
        """`port` 0 takes any free one, another number that one or the next free one.

        `environ` (default: ours) may name real services by DATABASE_URL and REDIS_URL. `durable=False` trades
        safety at a power cut for speed, for tests. `say` gets sentences for a person, `echo` every line of
        every process.
        """
        self.data_dir = data_dir.resolve()
        self.logs = self.data_dir / "logs"
        self.password_file = self.data_dir / "admin-password.txt"
        self.env: dict[str, str] = dict(os.environ if environ is None else environ)
        self.url = ""
        self._host, self._wanted_port = host, port
        self._demo = demo
        self._durable = durable
        self._say, self._echo = say, echo
        self._watcher = Watcher(say)
        self._bootstrap: Child | None = None
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def admin_password(self) -> str:
        """The first admin's, as generated. Raises FileNotFoundError when the file was taken away."""
        return self.password_file.read_text(encoding="utf-8").strip()

    def start(self) -> None:
        """Services, migrations, then everything else; returns when a person can work."""
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._take_lock()
        port = free_port(self._wanted_port, self._host)
        self.url = f"http://localhost:{port}"
        self._start_services()
        self._complete_environment(port)
        self._prepare_database()
        self._start_programs(port)
        self._wait_answering()
        if self._bootstrap:
            self._bootstrap.wait_succeeded(START_TIMEOUT_S)

    def close(self) -> None:
        """Stop everything, the services last because the others use them. Safe to call twice."""
        if self._bootstrap:
            self._bootstrap.stop(timeout_s=2)
        self._watcher.close(("valkey", "postgres"), STOP_TIMEOUT_S)
        if self._lock:
            (self.data_dir / "running.env").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def restart(self, name: str) -> None:
        """Stop web, beat, a queue's worker, postgres or valkey properly, start it, wait until it is ready."""
        self._watcher.restart(name, START_TIMEOUT_S)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Kill a process as an accident would; it is started again by itself (`wait_ready` waits for that)."""
        self._watcher.kill(name, number)

    def wait_ready(self, name: str, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait until a process that was killed is back."""
        self._watcher.wait_ready(name, timeout_s)

    def child(self, name: str) -> Child:
        """A process that we look after: whether it runs, the end of its log."""
        return self._watcher.child(name)

    def pid(self, name: str) -> int | None:
        return self._watcher.child(name).pid

    def manage(self, *arguments: str) -> str:
        """Run `manage.py ARGUMENTS` against this stack and return what it printed. Raises ChildFailed."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.env,
            cwd=ROOT,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode != 0:
            raise ChildFailed(f"manage.py {' '.join(arguments)} failed\n{done.stdout[-4000:]}")
        return done.stdout

    def _take_lock(self) -> None:
        """One stack per data folder. The kernel lets go of the lock however we end."""
        lock = (self.data_dir / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise AlreadyRunning(f"CellLoop runs already with the data in {self.data_dir}") from None
        self._lock = lock

    def _start_services(self) -> None:
        if not self.env.get("DATABASE_URL"):
            postgres = Postgres(
                self.data_dir, log=self.logs / "postgres.log", durable=self._durable, echo=self._echo
            )
            self._watcher.add(postgres.child, postgres.start)
            self.env["DATABASE_URL"] = postgres.url
            self._say(f"PostgreSQL runs (data: {postgres.data})")
        if not self.env.get("REDIS_URL"):
            valkey = Valkey(self.data_dir, log=self.logs / "valkey.log", echo=self._echo)
            self._watcher.add(valkey.child, valkey.start)
            self.env["REDIS_URL"] = valkey.url
            self._say(f"Valkey runs (data: {valkey.data})")

    def _complete_environment(self, port: int) -> None:
        if not self.env.get("SECRET_KEY"):
            self.env["SECRET_KEY"] = kept_secret(self.data_dir / "secret-key")
        # Nine processes load the same modules: those that write no byte code compile them again at every start.
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)
        self.env |= {
            "CELLLOOP_DATA_DIR": str(self.data_dir),
            "DJANGO_SETTINGS_MODULE": "backend.settings",
            "PYTHONUNBUFFERED": "1",
        }
        ours = {name: self.env[name] for name in OUR_SETTINGS} | {"CELLLOOP_URL": f"http://localhost:{port}"}
        write_private(
            self.data_dir / "running.env", "".join(f"{key}={value}\n" for key, value in ours.items())
        )

    def _prepare_database(self) -> None:
        """Migrate before anything else runs; the demo project is then filled while the others start."""
        new = not self.password_file.exists()
        bootstrap = programs.bootstrap(self._surroundings(), demo=self._demo)
        self._bootstrap = bootstrap
        bootstrap.start()
        bootstrap.wait_ready(START_TIMEOUT_S)
        self._say("the database is up to date")
        if new and self.password_file.exists():
            self._say(f"first admin: user admin, password {self.admin_password} (shown this once)")

    def _start_programs(self, port: int) -> None:
        around = self._surroundings()
        started = [programs.worker(around, queue) for queue in programs.QUEUES]
        started += [programs.web(around, host=self._host, port=port), programs.beat(around)]
        for child in started:
            self._watcher.add(child)
        # What a person waits for. The others come up meanwhile, and their queues keep what is sent.
        for name in ("web", "interactive"):
            self.child(name).wait_ready(START_TIMEOUT_S)
        self._say("the web process and the model run")

    def _surroundings(self) -> programs.Surroundings:
        return programs.Surroundings(env=self.env, logs=self.logs, echo=self._echo)

    def _wait_answering(self) -> None:
        """The first answer loads the address table, so the first person does not wait for it."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/api/session", timeout=30) as answer:  # noqa: S310 - ours
                    answer.read()
                return
            except (urllib.error.URLError, OSError) as error:
                if time.monotonic() > deadline or isinstance(error, urllib.error.HTTPError):
                    raise ChildFailed(
                        f"the web process does not answer: {error}\n{self.child('web').tail()}"
                    ) from error
                time.sleep(0.2)
