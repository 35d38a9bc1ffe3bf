"""The Celery application. Its schedule is static and stands in the settings."""

import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mymoolah.settings")

app = Celery("mymoolah")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
def be_patient(conf: Any, **_: object) -> None:
    """A worker waits for its broker, which a request must not."""
    options = conf.broker_transport_options
    conf.broker_transport_options = {"visibility_timeout": options["visibility_timeout"]}
