"""What staff read where a customer would be asked about something of his own."""

from __future__ import annotations

import re

from reporting.support.intents import Intent
from reporting.support.wording import ENGLISH, label


def about(intent: str) -> str:
    """What a ticket or an article is about, told of somebody else: `a lost phone, or somebody using their account`."""
    return re.sub(r"\byour\b", "their", label(Intent(intent), language=ENGLISH))
