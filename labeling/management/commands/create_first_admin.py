"""manage.py create_first_admin: an admin with a generated password, once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from labeling.services.accounts import first_admin_create


class Command(BaseCommand):
    help = "Create the first admin. The password is printed once and kept in admin-password.txt of the data directory."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", default="admin")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        kept_in = settings.DATA_DIR / "admin-password.txt"
        password = first_admin_create(username=username, password_file=kept_in)
        if password is None:
            self.stdout.write("An admin exists already.")
            return
        self.stdout.write(f"Admin {username}, password {password} (kept in {kept_in})")
