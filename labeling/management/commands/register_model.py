"""manage.py register_model PATH: make a weight file known as a base model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling.errors import DomainError
from labeling.services.model_versions import model_version_register


class Command(BaseCommand):
    help = "Register a safetensors weight file as a base model. The same file again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)

    def handle(self, *args: Any, path: Path, **options: Any) -> None:
        try:
            version = model_version_register(path=path)
        except DomainError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"{version.name}: {version.weights_sha256[:12]}, threshold {version.threshold:g}")
