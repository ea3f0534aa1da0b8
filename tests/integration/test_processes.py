"""What the processes carry, and what happens when one of them is killed in the middle of its work."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.supervisor import Stack
from tests.integration.http_client import JsonObject, Person, checked, wait_for
from tests.scenes import nuclei


def mapped_files(pid: int) -> str:
    """Everything that a process has mapped into its memory, its libraries among it."""
    return Path(f"/proc/{pid}/maps").read_text()


@pytest.mark.parametrize("name", ["web", "beat", "ingest"])
def test_a_process_without_a_model_has_no_torch(stack: Stack, name: str) -> None:
    pid = stack.pid(name)
    assert pid is not None
    assert "libpython" in mapped_files(pid) or "python" in mapped_files(pid)
    assert "torch" not in mapped_files(pid)


@pytest.mark.parametrize("name", ["segment", "interactive", "train"])
def test_a_process_with_a_model_has_torch(stack: Stack, name: str) -> None:
    pid = stack.pid(name)
    assert pid is not None
    assert "libtorch" in mapped_files(pid)


@pytest.mark.slow
def test_a_segmentation_survives_kill_9(stack: Stack, person: Person) -> None:
    project = person.project("Killed")
    uploaded = checked(person.upload(project, "large.tif", nuclei(31, side=1000, cells=40).tiff)).json()

    def under_way() -> JsonObject | None:
        job = person.image(uploaded["id"])["job"]
        running = job is not None and job["kind"] == "segment" and job["progress"] > 0
        return job if running else None

    killed = wait_for(under_way, seconds=60, what="the segmentation to begin", every=0.1)
    stack.kill("segment")
    stack.wait_ready("segment", 90)
    assert person.image(uploaded["id"])["status"] == "segmenting"
    image = person.wait_settled(uploaded["id"], seconds=150)
    assert (image["status"], image["error"]) == ("ready", "")
    assert image["cells"] > 15
    assert image["revision"] == 1  # stored once, whatever the first attempt had done
    jobs = stack.manage("shell", "--no-imports", "-c", ATTEMPTS.format(job=killed["id"]))
    assert jobs.strip().splitlines()[-1] == "segment succeeded 2"


ATTEMPTS = (
    "from labeling.models import Job; job = Job.objects.get(pk='{job}'); "
    "print(job.kind, job.status, job.attempt)"
)
