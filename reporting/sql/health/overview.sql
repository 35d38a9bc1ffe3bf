-- One row: how old the materialized view is, whether its tables have changed since, and what a day of refreshes costs.
WITH last_one AS (
    SELECT
        f.started_at,
        f.duration_ms,
        f.rows_count,
        f.changes_seen
    FROM dashboard_refreshes AS f
    ORDER BY f.started_at DESC
    LIMIT 1
),

changes AS (
    SELECT coalesce(sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del), 0) AS seen
    FROM pg_stat_user_tables AS s
    WHERE s.relid IN ('users'::regclass, 'wallets'::regclass, 'voucher_totals'::regclass)
),

of_a_day AS (
    SELECT
        count(*) AS refreshes,
        coalesce(sum(f.duration_ms), 0) AS busy_ms
    FROM dashboard_refreshes AS f
    WHERE f.started_at > now() - interval '1 day'
)

SELECT
    m.ispopulated AS is_populated,
    extract(EPOCH FROM now() - l.started_at)::float8 AS age_seconds,
    coalesce(l.changes_seen <> c.seen, TRUE) AS has_changed,
    l.duration_ms,
    l.rows_count,
    d.refreshes,
    d.busy_ms::float8 / 86400000 AS busy_share
FROM pg_matviews AS m
CROSS JOIN changes AS c
CROSS JOIN of_a_day AS d
LEFT JOIN last_one AS l ON TRUE
WHERE m.schemaname = 'public' AND m.matviewname = 'user_dashboard_summary'
