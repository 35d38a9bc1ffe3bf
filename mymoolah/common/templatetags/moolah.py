"""What templates write alike everywhere."""

from __future__ import annotations

from decimal import Decimal

from django import template

from mymoolah.common import admin

register = template.Library()


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """`5,345.00 ZAR`, never broken over two lines."""
    return admin.money(amount, currency)
