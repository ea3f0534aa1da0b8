"""manage.py simulated_annotator: label images with known truth through the HTTP API and count what it costs.

Needs a running server, an API token of somebody who may make projects, and a folder with a manifest.csv. It makes a
project for each campaign and deletes none that it completed.
"""

from __future__ import annotations

import argparse
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling.annotator import CampaignError, Client, GroundTruthError, Refused, add_arguments, play

TOKEN = "CELLLOOP_TOKEN"  # noqa: S105 (the name of a variable)


class Command(BaseCommand):
    help = "Play projects as a person would, with the truth in hand, and report actions and seconds per cell."
    requires_system_checks: list[str] = []  # it talks to a server and to no database

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default="http://localhost:8000")
        parser.add_argument("--token", default=os.environ.get(TOKEN, ""), help=f"or the variable {TOKEN}")
        add_arguments(parser)

    def handle(self, *args: Any, url: str, token: str, **options: Any) -> None:
        if not token:
            raise CommandError(f"Give an API token, by --token or by the variable {TOKEN}.")
        try:
            text = play(argparse.Namespace(**options), Client(url, token), self.stdout.write)
        except (CampaignError, GroundTruthError, Refused, OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(text)
