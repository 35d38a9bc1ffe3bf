"""The WSGI entry: a web process, with a connection pool of its own."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mymoolah.settings")
os.environ.setdefault("DATABASE_POOL_SIZE", "8")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
