-- One row per database of the server, the oldest first: how many transactions and multixacts its oldest row is behind.
-- When any of them runs out, all stop writing.
SELECT
    d.datname AS database,
    age(d.datfrozenxid)::bigint AS transactions,
    mxid_age(d.datminmxid)::bigint AS multixacts,
    current_setting('autovacuum_freeze_max_age')::bigint AS frozen_at
FROM pg_database AS d
ORDER BY greatest(age(d.datfrozenxid), mxid_age(d.datminmxid)) DESC
LIMIT %(most)s
