"""PostgreSQL refuses to run as root: how to run it anyway without making a system account.

First choice is a user namespace in which root is called `nobody`: nothing changes owner and a checkout
under a closed home directory works. Where namespaces are refused (some containers) the server runs as the
real `nobody`, from a folder that `nobody` can reach.
"""

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534
NAMESPACE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")


@dataclass(frozen=True)
class ServerAccount:
    """How to run a server: words before its command, the uid to take (-1: ours), and its two folders."""

    prefix: tuple[str, ...]
    uid: int
    program: Path
    data: Path


def server_account(*, program: Path, data: Path) -> ServerAccount:
    """Pick the account for `program` (a folder of binaries) that will own `data` (a folder, made later)."""
    if os.geteuid() != 0:
        return ServerAccount((), -1, program, data)
    if _namespaces_work():
        return ServerAccount(NAMESPACE, -1, program, data)
    return nobody_account(program=program, data=data)


def nobody_account(*, program: Path, data: Path) -> ServerAccount:
    """The real `nobody`; what lies behind a closed folder moves to (or is copied to) a folder in /var/lib."""
    data.parent.mkdir(parents=True, exist_ok=True)
    # Not /var/tmp: there another user could lay a folder with this name before us.
    outside = Path("/var/lib") / f"cellloop-{hashlib.sha256(str(data).encode()).hexdigest()[:16]}"
    if not (_open_to_all(program) and _open_to_all(data.parent)):
        outside.mkdir(mode=0o755, exist_ok=True)
    if not _open_to_all(program):
        copy = outside / "program"
        shutil.copytree(program, copy, symlinks=True, dirs_exist_ok=True)
        program = copy
    if not _open_to_all(data.parent):
        data = outside / data.name
    return ServerAccount((), NOBODY, program, data)


def _namespaces_work() -> bool:
    if shutil.which(NAMESPACE[0]) is None:
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def _open_to_all(folder: Path) -> bool:
    """Whether every folder on the way may be entered by anybody."""
    path = folder.resolve()
    return all(step.stat().st_mode & 0o001 for step in (path, *path.parents))
