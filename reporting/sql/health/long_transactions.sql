-- One row per transaction of another session that has lasted for more than a minute, the longest first. Never its text:
-- what customers typed may stand in it.
SELECT
    a.pid,
    a.usename AS role,
    a.application_name,
    a.state,
    a.wait_event_type,
    a.wait_event,
    a.query_id,
    extract(EPOCH FROM clock_timestamp() - a.xact_start)::float8 AS transaction_seconds,
    extract(EPOCH FROM clock_timestamp() - a.state_change)::float8 AS state_seconds
FROM pg_stat_activity AS a
WHERE
    a.datname = current_database()
    AND a.backend_type = 'client backend'
    AND a.pid <> pg_backend_pid()
    AND a.xact_start < clock_timestamp() - interval '1 minute'
ORDER BY a.xact_start
LIMIT %(most)s
