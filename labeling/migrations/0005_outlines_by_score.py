"""What was observed of a version is kept by score, and each image knows from which score on it shows cells."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.models import Exists, OuterRef


def keep_what_is_known(apps: Any, schema_editor: Any) -> None:
    """Totals count in the lowest bin: they tell whether outlines are shown, not from which score on."""
    Project, Image = apps.get_model("labeling", "Project"), apps.get_model("labeling", "Image")
    Proposal = apps.get_model("labeling", "Proposal")
    for project in Project.objects.filter(active_precision__isnull=True, observed_found__gt=0):
        project.score_tally = [[0, project.observed_found, project.observed_right, project.observed_right]]
        project.save(update_fields=["score_tally"])
    waiting = Proposal.objects.filter(image=OuterRef("pk"), status="open")
    Image.objects.filter(Exists(waiting), status="ready").update(shown_from=None)


class Migration(migrations.Migration):
    dependencies = [("labeling", "0004_observed_precision")]

    operations = [
        migrations.AddField("image", "shown_from", models.FloatField(blank=True, default=0.0, null=True)),
        migrations.AddField("project", "score_tally", models.JSONField(default=list)),
        migrations.AddField("project", "shown_from", models.FloatField(blank=True, default=0.0, null=True)),
        migrations.RunPython(keep_what_is_known, migrations.RunPython.noop),
        migrations.RemoveField("project", "observed_found"),
        migrations.RemoveField("project", "observed_right"),
    ]
