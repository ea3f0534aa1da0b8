"""manage.py demo_project: a project with the demo images, for a first look."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling.services.demo import demo_project_create


class Command(BaseCommand):
    help = "Create the demo project, or add the demo images that it lacks."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--owner", default=None, help="a user name; the first admin if left out")

    def handle(self, *args: Any, owner: str | None, **options: Any) -> None:
        users = get_user_model().objects
        found = users.filter(username=owner) if owner else users.filter(is_superuser=True).order_by("pk")
        user = found.first()
        if user is None:
            raise CommandError("There is no such user. Run manage.py create_first_admin first.")
        project, added, lacking = demo_project_create(owner=user)
        for sentence in lacking:
            self.stderr.write(sentence)
        self.stdout.write(
            f"{project.name}: {added} images added, {project.images.count()} in all ({project.pk})"
        )
