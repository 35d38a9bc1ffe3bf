"""The WSGI entry: a web process, with a connection pool of its own, counted beside the others."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mymoolah.settings")
os.environ.setdefault("DATABASE_POOL_SIZE", "8")
os.environ.setdefault("MYMOOLAH_PROCESS", "web")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from mymoolah import tracing
from mymoolah.common import metrics_folder
from mymoolah.common.media_types import passing_over_unreadable

metrics_folder.share(settings.METRICS_DIR, program="web")
tracing.start()
application = passing_over_unreadable(get_wsgi_application())
