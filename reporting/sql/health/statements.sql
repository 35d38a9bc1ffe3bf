-- One row per statement of this database, whichever role sent it, what took most time of all first. The text is as
-- pg_stat_statements keeps it, with most constants as $1; what is shown is masked once more.
SELECT
    s.queryid AS query_id,
    left(min(s.query), 4000) AS query,
    sum(s.calls)::bigint AS calls,
    sum(s.total_exec_time) / sum(s.calls) AS mean_ms,
    max(s.max_exec_time) AS longest_ms,
    sum(s.total_exec_time) / 1000 AS total_seconds,
    sum(s.rows)::float8 / sum(s.calls) AS rows_per_call,
    (SELECT i.stats_reset FROM pg_stat_statements_info AS i) AS counted_since,
    extract(EPOCH FROM now() - (SELECT i.stats_reset FROM pg_stat_statements_info AS i))::float8 AS counted_seconds
FROM pg_stat_statements AS s
WHERE
    s.dbid = (
        SELECT d.oid FROM pg_database AS d
        WHERE d.datname = current_database()
    )
    AND s.queryid IS NOT NULL
    AND s.calls > 0
GROUP BY s.queryid
ORDER BY total_seconds DESC
LIMIT %(most)s
