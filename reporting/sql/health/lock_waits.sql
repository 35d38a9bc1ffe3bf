-- One row per session that waits for a lock and session that it waits for, who waits longest first. Never their text.
-- A blocker with pid 0 is a prepared transaction.
SELECT DISTINCT
    w.pid AS waiting_pid,
    w.usename AS waiting_role,
    w.application_name AS waiting_application,
    w.query_id AS waiting_query_id,
    l.locktype AS lock_type,
    l.mode AS lock_mode,
    l.relation::regclass::text AS relation,
    coalesce(extract(EPOCH FROM clock_timestamp() - l.waitstart), 0)::float8 AS waited_seconds,
    x.pid AS blocking_pid,
    b.usename AS blocking_role,
    b.application_name AS blocking_application,
    b.state AS blocking_state,
    b.query_id AS blocking_query_id,
    extract(EPOCH FROM clock_timestamp() - b.xact_start)::float8 AS blocking_seconds
FROM pg_stat_activity AS w
CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS x (pid)
LEFT JOIN pg_locks AS l ON l.pid = w.pid AND NOT l.granted
LEFT JOIN pg_stat_activity AS b ON b.pid = x.pid
WHERE w.datname = current_database() AND w.wait_event_type = 'Lock'
ORDER BY waited_seconds DESC, w.pid ASC, x.pid ASC
LIMIT %(most)s
