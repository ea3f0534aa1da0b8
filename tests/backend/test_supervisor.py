"""The whole stack: who runs, with what rights, and what happens when somebody dies."""

import os
import urllib.request

import pytest

from backend.processes import ChildFailed
from backend.progress import ProgressReader
from backend.supervisor import EVERYBODY, AlreadyRunning, Stack


def status_of(stack: Stack, path: str) -> int:
    with urllib.request.urlopen(stack.url + path, timeout=30) as answer:
        return int(answer.status)


def test_it_works(stack: Stack) -> None:
    assert status_of(stack, "/api/session") == 200
    assert status_of(stack, "/") == 200
    for name in EVERYBODY:
        stack.wait_ready(name)


def test_the_first_admin_can_log_in(stack: Stack) -> None:
    progress = ProgressReader(stack.url, stack.admin_password).read()
    assert progress.failed == 0


def test_secrets_are_for_the_owner_alone(stack: Stack) -> None:
    for name in ("admin-password.txt", "secret-key", "running.env", "postgres-password", "valkey.conf"):
        assert (stack.data_dir / name).stat().st_mode & 0o777 == 0o600, name
    assert stack.data_dir.stat().st_mode & 0o777 == 0o700


def test_no_log_holds_a_secret(stack: Stack) -> None:
    logs = "".join(path.read_text(errors="replace") for path in sorted(stack.logs.glob("*.log")))
    assert "celery" in logs
    for name in ("admin-password.txt", "secret-key", "postgres-password", "valkey-password"):
        assert (stack.data_dir / name).read_text().strip() not in logs, name


def test_background_work_is_nice(stack: Stack) -> None:
    niceness = {
        name: os.getpriority(os.PRIO_PROCESS, pid) if (pid := stack.child(name).pid) else None
        for name in ("interactive", "segment", "train")
    }
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert niceness == {
        "interactive": own,
        "segment": min(19, own + 10),
        "train": min(19, own + 15),
    }


def test_a_second_stack_on_the_same_data_is_refused(stack: Stack) -> None:
    with pytest.raises(AlreadyRunning, match="runs already"):
        Stack(data_dir=stack.data_dir, port=0).start()
    assert status_of(stack, "/api/session") == 200


def test_management_commands_reach_it(stack: Stack) -> None:
    assert "An admin exists already" in stack.manage("create_first_admin")
    with pytest.raises(ChildFailed, match="no_such_command"):
        stack.manage("no_such_command")


@pytest.mark.parametrize("name", ["web", "interactive"])
def test_a_killed_process_comes_back(stack: Stack, name: str) -> None:
    before = stack.child(name).pid
    stack.kill(name)
    stack.wait_ready(name)
    assert stack.child(name).pid != before
    assert status_of(stack, "/api/session") == 200


def test_a_killed_database_comes_back_and_the_rest_goes_on(stack: Stack) -> None:
    stack.kill("postgres")
    stack.wait_ready("postgres")
    assert ProgressReader(stack.url, stack.admin_password).read().failed == 0
    for name in EVERYBODY:
        stack.wait_ready(name)
