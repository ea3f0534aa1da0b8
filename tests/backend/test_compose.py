"""docker-compose.yml: valid, complete, and the same commands as our own launcher. No Docker runs here."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from backend import programs

ROOT = Path(__file__).parent.parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
AROUND = programs.Surroundings(env={}, logs=Path("logs"))


def test_it_is_a_valid_compose_file() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*check, "docker-compose.yml"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_process_is_there() -> None:
    assert set(SERVICES) == {"postgres", "redis", "prepare", "web", "beat", *programs.QUEUES}


def test_workers_run_what_the_launcher_runs() -> None:
    for queue in programs.QUEUES:
        command = SERVICES[queue]["command"]
        launched = programs.worker(AROUND, queue).command
        start = command.index("celery")
        assert [word for word in launched[2:] if not word.startswith("--without")] == command[start:]


def test_background_workers_are_nice() -> None:
    assert {queue for queue in programs.QUEUES if SERVICES[queue]["command"][0] == "nice"} == {
        "segment",
        "train",
    }


def test_the_ports_of_the_services_stay_inside() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"web"}


def test_all_wait_for_the_database_to_be_prepared() -> None:
    waiting = {name for name, service in SERVICES.items() if "prepare" in service.get("depends_on", {})}
    assert waiting == {"web", "beat", *programs.QUEUES}


def test_no_password_is_written_down() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert "${POSTGRES_PASSWORD:?" in text
    assert "${SECRET_KEY:?" in text
