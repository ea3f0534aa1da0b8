"""The embedded PostgreSQL and Valkey: they start, keep what was written, and survive accidents."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import redis

from backend.embedded import Postgres, Valkey, _postgres_program
from backend.unprivileged import NOBODY, nobody_account, server_account

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    server = Postgres(tmp_path, log=tmp_path / "postgres.log", durable=False)
    yield server
    server.stop()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path, log=tmp_path / "valkey.log")
    yield server
    server.stop()


def run_sql(server: Postgres, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(server.url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def test_it_works(postgres: Postgres) -> None:
    postgres.start()
    assert run_sql(postgres, "SELECT current_database(), pg_client_encoding()") == [("cellloop", "UTF8")]


def test_it_needs_the_password(postgres: Postgres) -> None:
    postgres.start()
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(postgres.url.replace(":" + postgres.url.split(":")[2].split("@")[0], ":guess"))


def test_it_listens_on_this_machine_only(postgres: Postgres, valkey: Valkey) -> None:
    postgres.start()
    valkey.start()
    assert run_sql(postgres, "SHOW listen_addresses") == [("127.0.0.1",)]
    assert redis.from_url(valkey.url).config_get("bind") == {"bind": "127.0.0.1"}
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=valkey.port).ping()


def test_data_survive_a_stop_and_a_killed_server(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path, log=tmp_path / "postgres.log")
    postgres.start()
    run_sql(postgres, "CREATE TABLE kept (number int)")
    run_sql(postgres, "INSERT INTO kept SELECT generate_series(1, 200)")
    postgres.stop()
    postgres.start()
    run_sql(postgres, "INSERT INTO kept VALUES (201)")
    postgres.child.kill(signal.SIGKILL)  # and at once again, with the lock file and the zombie still there
    postgres.child.wait_stopped(5)
    assert (postgres.data / "postmaster.pid").exists()
    postgres.start()
    assert run_sql(postgres, "SELECT count(*) FROM kept") == [(201,)]
    postgres.stop()


def test_a_lock_file_that_names_an_unrelated_process_is_cleared(postgres: Postgres) -> None:
    postgres.start()
    postgres.child.kill(signal.SIGKILL)
    postgres.child.wait_stopped(5)
    lock = postgres.data / "postmaster.pid"
    lines = lock.read_text().split("\n")
    lock.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    postgres.start()
    assert run_sql(postgres, "SELECT 1") == [(1,)]


def test_a_half_made_cluster_is_made_again(postgres: Postgres) -> None:
    draft = postgres.data.with_name("postgres.new")
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    postgres.start()
    assert run_sql(postgres, "SELECT 1") == [(1,)]
    assert not draft.exists()


def test_servers_end_when_whoever_started_them_is_killed(tmp_path: Path) -> None:
    program = f"""
        import pathlib, time
        from backend.embedded import Postgres, Valkey
        folder = pathlib.Path({str(tmp_path)!r})
        Postgres(folder, log=folder / "p.log", durable=False).start()
        Valkey(folder, log=folder / "v.log").start()
        print("both run", flush=True)
        time.sleep(60)
    """
    owner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "both run\n"
    owner.kill()
    owner.wait()
    # a new start does not have to wait for anything by hand
    again, queue = (
        Postgres(tmp_path, log=tmp_path / "p.log", durable=False),
        Valkey(tmp_path, log=tmp_path / "v.log"),
    )
    began = time.monotonic()
    again.start()
    queue.start()
    assert time.monotonic() - began < 20
    again.stop()
    queue.stop()


def test_queued_messages_survive_a_killed_valkey(valkey: Valkey) -> None:
    valkey.start()
    redis.from_url(valkey.url).rpush("queue", "one", "two")
    time.sleep(1.5)  # its log is flushed every second
    valkey.child.kill(signal.SIGKILL)
    valkey.child.wait_stopped(5)
    valkey.start()
    assert redis.from_url(valkey.url).lrange("queue", 0, -1) == [b"one", b"two"]


def test_a_folder_name_with_spaces_will_do(tmp_path: Path) -> None:
    folder = tmp_path / "my cells"
    postgres, valkey = (
        Postgres(folder, log=folder / "p.log", durable=False),
        Valkey(folder, log=folder / "v.log"),
    )
    postgres.start()
    valkey.start()
    assert run_sql(postgres, "SELECT 1") == [(1,)]
    assert redis.from_url(valkey.url).ping()
    postgres.stop()
    valkey.stop()


def test_passwords_are_for_the_owner_alone(postgres: Postgres, valkey: Valkey, tmp_path: Path) -> None:
    postgres.start()
    valkey.start()
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in ("postgres-password", "valkey.conf")}
    assert modes == {"postgres-password": 0o600, "valkey.conf": 0o600}
    assert postgres.data.stat().st_mode & 0o777 == 0o700


def test_root_without_namespaces_uses_nobody(tmp_path: Path) -> None:
    """Some containers refuse user namespaces; and pytest's folders are closed to others, as /root is."""
    if os.geteuid() != 0:
        mine = server_account(program=_postgres_program(), data=tmp_path / "postgres")
        assert (mine.prefix, mine.uid) == ((), -1)
        return
    account = nobody_account(program=_postgres_program(), data=tmp_path / "postgres")
    server = Postgres(tmp_path, log=tmp_path / "postgres.log", durable=False, account=account)
    server.start()
    assert server.child.pid is not None
    assert Path(f"/proc/{server.child.pid}").stat().st_uid == NOBODY
    assert run_sql(server, "SELECT 1") == [(1,)]
    server.stop()
    shutil.rmtree(account.data.parent)
