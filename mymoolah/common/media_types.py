"""Media types that nobody can read, passed over before Django and the REST framework fail at them."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.utils.http import parse_header_parameters


def passing_over_unreadable(application: WSGIApplication) -> WSGIApplication:
    """Answer as `application` does, but a media type that cannot be read counts as none.

    Django reads `Content-Type` before any of its middleware runs, and fails at parameters such as `a*=nonsense''b`
    (RFC 2231); the REST framework does at those of `Accept`. Anybody could make us write 500 into the log.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        for name in ("CONTENT_TYPE", "HTTP_ACCEPT"):
            if not all(map(_is_readable, environ.get(name, "").split(","))):
                environ[name] = ""
        return application(environ, start_response)

    return answer


def _is_readable(media_type: str) -> bool:
    try:
        _, parameters = parse_header_parameters(media_type)
        codecs.lookup(parameters.get("charset", "utf-8"))
    except LookupError:
        return True  # an encoding that nobody knows is passed over
    except ValueError:
        return False
    return True
