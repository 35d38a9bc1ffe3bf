"""What staff read where a customer would be asked about something of his own."""

from __future__ import annotations

import re
from typing import Final

from reporting.support.intents import Intent
from reporting.support.wording import ENGLISH, label

THEIRS: Final = {"you": "they", "your": "their"}


def about(intent: str) -> str:
    """What a ticket or an article is about, told of somebody else: `how to prove who they are`."""
    return re.sub(r"\byour?\b", lambda found: THEIRS[found[0]], label(Intent(intent), language=ENGLISH))
