"""The committed OpenAPI file is that of the code, without a warning."""

from io import StringIO
from pathlib import Path

from django.conf import settings
from django.core.management import call_command


def test_it_is_up_to_date(tmp_path: Path):
    made = tmp_path / "schema.yml"
    errors = StringIO()
    call_command("spectacular", file=str(made), validate=True, fail_on_warn=True, stderr=errors)
    committed = settings.BASE_DIR / "frontend" / "src" / "api" / "schema.yml"
    assert committed.read_text() == made.read_text(), (
        "run: manage.py spectacular --file frontend/src/api/schema.yml"
    )
