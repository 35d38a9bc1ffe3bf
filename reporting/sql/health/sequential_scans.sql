-- One row per table or materialized view with many rows: how much of it was read from end to end. Sizes are what
-- VACUUM and ANALYZE last wrote down, since asking the files waits for locks. A refresh of the overview reads its own
-- tables, and that is meant.
SELECT
    t.relname AS table_name,
    c.reltuples::bigint AS rows_count,
    c.relpages::bigint * current_setting('block_size')::bigint AS bytes,
    t.seq_scan AS scans,
    t.seq_tup_read AS rows_read,
    coalesce(t.idx_scan, 0) AS index_scans,
    CASE
        WHEN t.relname IN ('users', 'wallets', 'voucher_totals', 'user_dashboard_summary')
            THEN (
                SELECT count(*) FROM dashboard_refreshes AS f
                WHERE f.started_at > now() - interval '1 day'
            )
        ELSE 0
    END AS refreshes_per_day
FROM pg_stat_user_tables AS t
INNER JOIN pg_class AS c ON c.oid = t.relid
WHERE t.schemaname = 'public' AND c.reltuples > 10000
ORDER BY t.seq_tup_read DESC, t.relname ASC
LIMIT %(most)s
