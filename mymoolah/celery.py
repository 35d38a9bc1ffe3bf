"""The Celery application. Its schedule is static and stands in the settings."""

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mymoolah.settings")

app = Celery("mymoolah")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.celeryd_init.connect
def be_patient(conf: Any, **_: object) -> None:
    """A worker waits for its broker, which a request must not."""
    options = conf.broker_transport_options
    conf.broker_transport_options = {"visibility_timeout": options["visibility_timeout"]}


@signals.setup_logging.connect
def keep_our_log(**_: object) -> None:
    """Django has set it up from the settings; with somebody listening here Celery does not do it again."""


@signals.celeryd_init.connect
def count_as_worker(**_: object) -> None:
    _count_as("worker")


@signals.beat_init.connect
def count_as_beat(**_: object) -> None:
    _count_as("beat")


def _count_as(program: str) -> None:
    from django.conf import settings

    from mymoolah.common import metrics_folder

    metrics_folder.share(settings.METRICS_DIR, program=program)
