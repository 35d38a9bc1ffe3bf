"""What templates write alike everywhere."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django import template

from mymoolah.common import admin
from mymoolah.common.clock import last_day_before

register = template.Library()


@register.filter
def last_day(end: dt.datetime) -> dt.date:
    """The last day of what is over when `end` comes."""
    return last_day_before(end)


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """`5,345.00 ZAR`, never broken over two lines."""
    return admin.money(amount, currency)
