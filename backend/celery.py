"""The Celery application. Each worker imports the one task module of its queue (`-I worker.tasks.<queue>`)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")

app = Celery("cellloop")
app.config_from_object("django.conf:settings", namespace="CELERY")
