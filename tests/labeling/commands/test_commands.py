"""The commands that a new installation runs."""

import stat
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from labeling.demo_images import demo_images
from labeling.models import ImageStatus, Project
from tests.factories import make_base, make_user


def run(name: str, **options: object) -> str:
    out = StringIO()
    call_command(name, stdout=out, **options)
    return out.getvalue()


def test_the_first_admin_gets_a_password_that_only_its_owner_can_read(db: None, settings, tmp_path: Path):
    settings.DATA_DIR = tmp_path / "data"
    said = run("create_first_admin")
    kept = tmp_path / "data" / "admin-password.txt"
    password = kept.read_text().strip()
    assert password in said
    assert len(password) >= 20
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    admin = get_user_model().objects.get(username="admin")
    assert admin.check_password(password)
    assert admin.is_superuser


def test_there_is_one_first_admin(db: None, settings, tmp_path: Path):
    settings.DATA_DIR = tmp_path
    run("create_first_admin")
    before = (tmp_path / "admin-password.txt").read_text()
    assert run("create_first_admin") == "An admin exists already.\n"
    assert (tmp_path / "admin-password.txt").read_text() == before


def test_the_demo_project_has_all_demo_images_once(db: None):
    make_base()
    owner = make_user("root", is_superuser=True)
    assert f"{len(demo_images())} images added" in run("demo_project")
    assert "0 images added" in run("demo_project")
    project = Project.objects.get()
    assert (project.name, project.memberships.get().user) == ("Demo", owner)
    assert project.images.count() == len(demo_images())
    assert set(project.images.values_list("status", flat=True)) == {ImageStatus.QUEUED}
    assert project.channel_map is not None


def test_the_demo_comes_back_if_an_image_was_deleted(db: None):
    make_base()
    make_user("root", is_superuser=True)
    run("demo_project")
    Project.objects.get().images.all()[0].delete()
    assert ": 1 images added" in run("demo_project")


def test_the_demo_needs_an_owner(db: None):
    with pytest.raises(CommandError, match="create_first_admin"):
        run("demo_project")
