"""From when on a finding is grave, each with its reason. Nothing else in this package holds such a number."""

from __future__ import annotations

from typing import Final

MIB: Final = 1024**2
GIB: Final = 1024**3

# The examination itself ----------------------------------------------------------------------------------------------
EXAMINATION_SECONDS: Final = 15.0
"""All checks together. Each reads catalogues and counters, never a table's rows: a whole bank takes a fraction of it."""
CHECK_SECONDS: Final = 3.0
"""One check. What takes longer waits for something, and the other checks are more worth than its answer."""
LOCK_SECONDS: Final = 0.5
"""To read a table's size takes a lock that a migration may hold; nobody shall queue behind it for us."""
ROWS_MAX: Final = 50
"""Of one check: who has more problems than this begins with the first."""

# Sessions ------------------------------------------------------------------------------------------------------------
CONNECTIONS_LOOK_SHARE: Final = 0.75
"""A deployment starts new processes before the old ones have ended: a quarter has to be free for that."""
CONNECTIONS_CRITICAL_SHARE: Final = 0.90
"""From here a burst is refused, and so is whoever comes to look why."""
TRANSACTION_LOOK_SECONDS: Final = 300
"""The app's statements end after 30 s, its idle transactions after 60; a refresh of the overview takes less than this."""
TRANSACTION_CRITICAL_SECONDS: Final = 7_200
"""`verify_ledger` of a large bank may take an hour. Beyond two nothing of ours runs, and vacuum removes no dead row."""
IDLE_LOOK_SECONDS: Final = 60
"""`idle_in_transaction_session_timeout` of the app; who idles longer is another role."""
IDLE_CRITICAL_SECONDS: Final = 600
"""Holds its locks, and nobody is at work: ten minutes of waiting customers are an outage."""
LOCK_LOOK_SECONDS: Final = 1.0
"""A posting holds its locks for milliseconds."""
LOCK_CRITICAL_SECONDS: Final = 30.0
"""The app gives up after 5 s (`lock_timeout`): who waits this long queues everybody else behind itself."""

# Replication ---------------------------------------------------------------------------------------------------------
LAG_LOOK_SECONDS: Final = 10
"""What is read from a standby is then visibly old."""
LAG_CRITICAL_SECONDS: Final = 300
"""What a failover would lose, were it not synchronous."""
LAG_LOOK_BYTES: Final = 256 * MIB
LAG_CRITICAL_BYTES: Final = 8 * GIB
"""A primary cannot tell the age of what a standby has not replayed, only how much it is: seconds and minutes of a busy bank."""
SLOT_LOOK_BYTES: Final = GIB
"""Kept for a standby that does not fetch it: some minutes of a busy bank."""
SLOT_CRITICAL_BYTES: Final = 20 * GIB
"""A slot keeps write-ahead log until the disk is full and PostgreSQL stops."""

# Upkeep --------------------------------------------------------------------------------------------------------------
TRANSACTION_IDS_LOOK: Final = 500_000_000
"""Autovacuum freezes at 200 million (`autovacuum_freeze_max_age`): beyond twice that something hinders it."""
TRANSACTION_IDS_CRITICAL: Final = 1_200_000_000
"""PostgreSQL takes emergency measures at 1,600 million and refuses to write at about 2,100 million."""
SEQUENCE_LOOK_SHARE: Final = 0.70
"""Changing a column's type on a large table is work of weeks."""
SEQUENCE_CRITICAL_SHARE: Final = 0.90
"""At the end every INSERT fails."""
DEAD_ROWS_MIN: Final = 10_000
"""Fewer are not worth a vacuum."""
DEAD_ROWS_LOOK_SHARE: Final = 0.20
"""`autovacuum_vacuum_scale_factor` is 0.20 of the live rows: what has twice its share was not reached."""
CHANGED_ROWS_LOOK_SHARE: Final = 0.20
"""`autovacuum_analyze_scale_factor` is 0.10: at twice that plans are made from what no longer is."""
REFRESH_LATE_SECONDS: Final = 900
"""Beat asks every minute; the start page turns red at the same age."""
REFRESH_BUSY_SHARE: Final = 0.50
"""Of a day spent refreshing: the next refresh begins as the last one ends, and one core does nothing else."""

# Statements ----------------------------------------------------------------------------------------------------------
SLOW_STATEMENT_MS: Final = 100.0
"""On average. Hot queries take a millisecond, a page of the back-office is to take 300 in all."""
SLOW_STATEMENT_CALLS_PER_DAY: Final = 100
"""What runs every night may take its time."""
BUSY_STATEMENT_SHARE: Final = 0.25
"""Of one core, around the clock, for one statement."""
SHOWN_STATEMENTS: Final = 5
"""What took most time is worth knowing also where nothing is wrong."""

# Tables and indexes --------------------------------------------------------------------------------------------------
LARGE_TABLE_ROWS: Final = 100_000
"""Reading all of a smaller one takes some ten milliseconds."""
WHOLE_READS_PER_DAY: Final = 100
"""`verify_ledger` reads every table some thirty times a night; the rest is statements without an index."""
READS_PER_REFRESH: Final = 3
"""How often one refresh of the overview reads its tables, and itself, from end to end."""
HIT_BLOCKS_MIN: Final = 100_000
"""800 MiB. Before that much was asked for, most of it is read for the first time."""
TABLE_HIT_LOOK_SHARE: Final = 0.95
INDEX_HIT_LOOK_SHARE: Final = 0.98
"""Every probe goes through an index: once these are read from the disk, everything is."""
IDLE_INDEX_BYTES: Final = 8 * MIB
"""Of one that serves nobody, or serves what another does: a smaller one costs less than the migration that drops it."""
UNUSED_INDEX_DAYS: Final = 30
"""Some things happen once a month."""
GROWTH_LOOK_SHARE: Final = 0.50
"""In a month, of a table that is large already."""
GROWTH_LOOK_BYTES: Final = GIB
GROWTH_DAYS: Final = 30
