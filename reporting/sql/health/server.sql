-- One row: which server answers, since when it has counted, and what this role may read of it. Its counters begin with
-- the cluster, with a crash, or when somebody resets them.
SELECT
    current_database() AS database,
    current_setting('server_version') AS version,
    pg_is_in_recovery() AS is_standby,
    pg_has_role('pg_read_all_stats', 'USAGE') AS reads_all_sessions,
    EXISTS(
        SELECT 1 FROM pg_extension AS e
        WHERE e.extname = 'pg_stat_statements'
    ) AS has_statements,
    pg_postmaster_start_time() AS started_at,
    coalesce(greatest(d.stats_reset, b.stats_reset), pg_postmaster_start_time()) AS counted_since
FROM pg_stat_database AS d
CROSS JOIN pg_stat_bgwriter AS b
WHERE d.datname = current_database()
