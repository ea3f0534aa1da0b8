"""The web process, beat and the ingest worker never load PyTorch: they start quickly and stay small."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
LOADED = """
import importlib, os, sys
import django
django.setup()
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*sorted({"torch", "segment_anything", "worker.cellsam", "worker.engine"} & set(sys.modules)))
"""


def loaded_model_code(*modules: str) -> str:
    """What of the model's code a fresh process has loaded after importing `modules`."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *modules],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "modules",
    [
        ("backend.asgi", "backend.urls", "labeling.api"),
        ("backend.celery", "django_celery_beat.schedulers"),
        ("backend.celery", "worker.tasks.ingest"),
        ("backend.supervisor", "backend.bootstrap"),
    ],
    ids=["web", "beat", "ingest", "supervisor"],
)
def test_it_loads_no_model_code(modules: tuple[str, ...]) -> None:
    assert loaded_model_code(*modules) == ""


def test_the_check_would_notice() -> None:
    assert "worker.engine" in loaded_model_code("worker.engine")
