"""manage.py rebuild_outcomes: compute what became of each cell anew, from the Edits alone."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling.models import Submission
from labeling.services.submissions import submission_rebuild


class Command(BaseCommand):
    help = "Rebuild the outcomes of all submissions from the Edits. With --check nothing is written; differences fail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare only")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        ids = list(Submission.objects.order_by("at").values_list("pk", flat=True))
        differing = [id_ for id_ in ids if not submission_rebuild(submission_id=id_, write=not check)]
        if check and differing:
            raise CommandError(
                f"{len(differing)} of {len(ids)} submissions differ from their Edits: {differing[0]}"
            )
        self.stdout.write(
            f"{len(ids)} submissions, {len(ids) - len(differing)} equal, {len(differing)} rebuilt"
        )
