"""The browser: which one, and how it is started."""

from __future__ import annotations

import os
from pathlib import Path

CHROMIUM = Path(os.environ.get("MYMOOLAH_CHROMIUM", "/usr/bin/chromium"))
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
