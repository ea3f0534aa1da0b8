""".env.example names every variable that is read, with one line of explanation, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = (ROOT / ".env.example").read_text().splitlines()
ENTRY = re.compile(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$")
# Read by the launcher and by docker-compose.yml, not by the settings.
NOT_SETTINGS = {"PORT", "HOST", "POSTGRES_PASSWORD"}


def test_it_agrees_with_the_settings() -> None:
    settings = (ROOT / "backend" / "settings.py").read_text()
    read = set(re.findall(r"\benv(?:\.\w+|_\w+)\(\s*\"([A-Z_]+)\"", settings))
    example = {found[1] for line in EXAMPLE if (found := ENTRY.match(line))}
    assert len(read) > 10
    assert example - NOT_SETTINGS == read


def test_nothing_else_reads_the_environment_for_itself() -> None:
    folders = ("backend", "labeling", "worker")
    readers = {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"os\.(environ|getenv)(\[|\.get\(|\()", path.read_text())
    }
    allowed = {
        "backend/__main__.py",  # the launcher: PORT, HOST, and what it hands on
        "labeling/management/commands/simulated_annotator.py",  # likewise a token
        "worker/cellsam/cli/fetch.py",  # a token of the person who types, for one command
        "worker/cellsam/training/distributed.py",  # torchrun tells its processes who they are
    }
    assert readers <= allowed


def test_each_variable_has_its_line() -> None:
    entries = [number for number, line in enumerate(EXAMPLE) if ENTRY.match(line)]
    assert entries
    for number in entries:
        assert re.match(r"^# [A-Z].*\w", EXAMPLE[number - 1]), EXAMPLE[number]


def test_it_holds_no_secret() -> None:
    values = {found[1]: found[2] for line in EXAMPLE if (found := ENTRY.match(line))}
    assert values["SECRET_KEY"] == ""
    assert values["POSTGRES_PASSWORD"] == ""
