"""The domain's Django application."""

from django.apps import AppConfig


class LabelingConfig(AppConfig):
    name = "labeling"
    verbose_name = "CellLoop"
    default_auto_field = "django.db.models.BigAutoField"
