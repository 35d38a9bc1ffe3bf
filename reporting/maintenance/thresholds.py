"""From when on something is worth a word, each with its reason. Nothing else in this package holds such a number."""

from __future__ import annotations

import datetime as dt
from typing import Final

# Cache ---------------------------------------------------------------------------------------------------------------
CACHE_READS_MIN: Final = 1_000
"""Of fewer a ratio tells nothing."""
CACHE_HITS_NOTICE_SHARE: Final = 0.5
"""Below that most reads cost a round trip to Redis and the query as well."""
FAMILY_HITS_NOTICE_SHARE: Final = 0.3
"""Below that looking and storing cost more than is saved (docs/performance.md)."""
CACHE_MEMORY_NOTICE_SHARE: Final = 0.80
CACHE_MEMORY_WARNING_SHARE: Final = 0.95
"""The queue of tasks may lie in the same Redis, which refuses to write when it is full."""

# Errors --------------------------------------------------------------------------------------------------------------
FAILED_REQUESTS_WARNING_SHARE: Final = 0.001
"""One in a thousand: what a customer notices within a month."""
REFUSED_MIN: Final = 100
REFUSED_NOTICE_TIMES: Final = 3.0
"""Payments refused for one reason, beside the daily average of the week before."""
FAILED_SIGN_INS_MIN: Final = 50
"""In a day, and more than succeed: people mistype, but not most of the time."""
TILL_EVENT_LATE: Final = dt.timedelta(hours=1)
"""The sweep of every minute has then failed sixty times."""

# Ledger --------------------------------------------------------------------------------------------------------------
FULL_VERIFICATION_EVERY: Final = dt.timedelta(days=8)
"""Every Sunday, with a day for a night on which no worker ran."""

# Query times ---------------------------------------------------------------------------------------------------------
LABEL_SAMPLES_MIN: Final = 100
"""In each of two weeks: of fewer statements the slowest twentieth is a handful."""
LABEL_GREW_TIMES: Final = 1.5
LABEL_GREW_MS: Final = 5.0
"""Both: half as much again of a tenth of a millisecond is noise."""
LABELS_SHOWN: Final = 10

# Statistics ----------------------------------------------------------------------------------------------------------
ANALYZE_SECONDS: Final = 300
"""One table: ANALYZE samples 30,000 rows, however many there are; this is a disk in trouble."""

# Speed ---------------------------------------------------------------------------------------------------------------
MEASURED_TIMES: Final = 20
"""Enough for a median, and less than a second for all."""
SLOWER_TIMES: Final = 2.0
SLOWER_MS: Final = 2.0
"""Beside a month ago; whatever else the machine did at the moment of either makes less than twice."""
MORE_BLOCKS_TIMES: Final = 2.0
MORE_BLOCKS: Final = 50
"""Blocks do not depend on who else is at work: twice as many is another plan, or rows that vacuum has left."""
LONG_TO_SHORT_TIMES: Final = 2.0
LONG_TO_SHORT_MS: Final = 2.0
"""A dashboard costs the same for a long history and a short one; that is the promise."""

# Capacity ------------------------------------------------------------------------------------------------------------
GROWTH_DAYS_MIN: Final = 14
"""Two weekends: a forecast of months from less is a guess."""
DISK_FULL_NOTICE_DAYS: Final = 365
DISK_FULL_WARNING_DAYS: Final = 90
"""To order, build in and move to a larger disk."""
TABLES_SHOWN: Final = 5

# Security ------------------------------------------------------------------------------------------------------------
IDLE_ACCOUNT: Final = dt.timedelta(days=90)
KEY_AGE_NOTICE: Final = dt.timedelta(days=365)
PEOPLE_NAMED: Final = 20
"""In one finding; the list of people has the rest."""
COLLEAGUES_TRIED: Final = 200
"""With the demo's password: each takes some ten milliseconds by design."""

# Old records ---------------------------------------------------------------------------------------------------------
RECORDS_KEPT_YEARS: Final = 5
"""FICA, sections 22 and 23."""
SESSIONS_KEPT: Final = dt.timedelta(days=365)
"""After a device's last token ran out: long enough to look into a takeover that is told of late."""
FORGETTING_LATE: Final = dt.timedelta(days=2)
"""A night on which no worker ran, and the part of a day until the next."""
UNANSWERED_FOR: Final = dt.timedelta(hours=3)
"""The broker gives a message out again after one hour, and no task may take longer."""
