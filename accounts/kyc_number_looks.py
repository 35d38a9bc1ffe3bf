"""How many whole identity numbers one officer may look at, wherever they are shown: at the KYC desk, on a customer's page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import transaction

from accounts.models import AuditEvent, User
from mymoolah.common.errors import DomainError

LOOKS: Final = ("identity.revealed", "kyc.number_shown")
MOST_REVEALED, COUNTED = 20, dt.timedelta(hours=1)
"""How many numbers one officer may look at in an hour."""


class TooManyRevealed(DomainError):
    code, status, title = "too_many_revealed", 429, "You have looked at as many identity numbers as an hour allows"

    def __init__(self, *, seconds: int) -> None:
        super().__init__(detail=f"You can look at the next one in {seconds // 60 + 1} minutes.")
        self.retry_after_seconds = seconds


@contextmanager
def counted_look(*, officer_id: int, now: dt.datetime) -> Iterator[None]:
    """One transaction in which an officer looks at a number, and writes one of `LOOKS`.

    :raises TooManyRevealed: he has looked at twenty within an hour; nothing happens inside
    """
    with transaction.atomic():
        # One look of an officer after the other, or several at once would all be the twentieth.
        User.objects.select_for_update(no_key=True).filter(pk=officer_id).first()
        looks = AuditEvent.objects.filter(actor=officer_id, at__gt=now - COUNTED, verb__in=LOOKS).order_by("-at")
        oldest_that_counts = looks[MOST_REVEALED - 1 : MOST_REVEALED].first()
        if oldest_that_counts is not None:
            raise TooManyRevealed(seconds=int((oldest_that_counts.at + COUNTED - now).total_seconds()))
        yield
