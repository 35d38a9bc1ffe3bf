"""The WSGI entry: a web process, with a connection pool of its own."""

import codecs
import os
from collections.abc import Callable, Iterable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mymoolah.settings")
os.environ.setdefault("DATABASE_POOL_SIZE", "8")

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

from mymoolah import tracing
from mymoolah.common import metrics_folder

metrics_folder.share(settings.METRICS_DIR, program="web")
tracing.start()
django_application = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request. A media type that cannot be read counts as none.

    Django reads `Content-Type` before any of its middleware runs, and fails at parameters such as `a*=nonsense''b`
    (RFC 2231); the REST framework does at those of `Accept`. Anybody could make us write 500 into the log.
    """
    for name in ("CONTENT_TYPE", "HTTP_ACCEPT"):
        if not all(map(is_readable, environ.get(name, "").split(","))):
            environ[name] = ""
    return django_application(environ, start_response)


def is_readable(media_type: str) -> bool:
    try:
        _, parameters = parse_header_parameters(media_type)
        codecs.lookup(parameters.get("charset", "utf-8"))
    except LookupError:
        return True  # an encoding that nobody knows is passed over
    except ValueError:
        return False
    return True
