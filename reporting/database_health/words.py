"""How findings speak: lengths of time, sizes and shares in few words."""

from __future__ import annotations

import datetime as dt
from typing import Final

from reporting.admin import in_words
from reporting.database_health.thresholds import GIB, MIB

TIB: Final = 1024 * GIB


def lasted(seconds: float | None) -> str:
    """`12 s` as long as that is exact enough, then `3 minutes`, `2 hours`."""
    if seconds is None:
        return "an unknown time"
    return f"{seconds:,.0f} s" if seconds < 120 else in_words(dt.timedelta(seconds=seconds))


def sized(count_bytes: float) -> str:
    for unit, length in (("TiB", TIB), ("GiB", GIB), ("MiB", MIB)):
        if abs(count_bytes) >= length:
            return f"{count_bytes / length:,.1f} {unit}"
    return f"{count_bytes / 1024:,.0f} KiB"


def share(of: float) -> str:
    return f"{of:.1%}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 index`, `2 indexes`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
