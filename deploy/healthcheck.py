"""Exit 0 if the web process of this container answers /healthz with 200; the image's HEALTHCHECK runs this."""

from __future__ import annotations

import http.client
import os
import sys
import urllib.request

URL = "http://127.0.0.1:8000/healthz"
TIMEOUT_SECONDS = 4


def host() -> str:
    """A name that Django answers to: the first of MYMOOLAH_ALLOWED_HOSTS."""
    first = os.environ.get("MYMOOLAH_ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".")
    return first if first not in {"", "*"} else "localhost"


def main() -> int:
    request = urllib.request.Request(URL, headers={"Host": host()})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            return 0 if response.status == http.client.OK else 1
    except (OSError, http.client.HTTPException) as error:
        print(f"{URL} did not answer: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
