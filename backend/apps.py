"""Registers the system checks."""

from django.apps import AppConfig
from django.core import checks


class BackendConfig(AppConfig):
    name = "backend"

    def ready(self) -> None:
        from backend.celery import app
        from backend.checks import check_cookies, check_data_dir, check_weights

        app.set_default()  # so that `celery.current_app` is this one, in every thread
        checks.register(check_cookies, checks.Tags.security, deploy=True)
        checks.register(check_data_dir, checks.Tags.files)
        checks.register(check_weights, checks.Tags.files)
