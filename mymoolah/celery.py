"""The Celery application. Its schedule is static and stands in the settings."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mymoolah.settings")

app = Celery("mymoolah")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
