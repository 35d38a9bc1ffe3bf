-- One row per route, task or command that was recorded since `since`, whose slow statements took most time first: its
-- samples of that time, and of the time before it.
SELECT
    q.query_type,
    count(*) FILTER (WHERE q.is_sampled AND q.created_at >= %(since)s) AS samples_count,
    count(*) FILTER (WHERE q.is_sampled AND q.created_at < %(since)s) AS samples_before_count,
    (percentile_cont(0.95) WITHIN GROUP (ORDER BY q.execution_time_ms) FILTER (
        WHERE q.is_sampled AND q.created_at >= %(since)s
    ))::float8 AS p95_ms,
    (percentile_cont(0.95) WITHIN GROUP (ORDER BY q.execution_time_ms) FILTER (
        WHERE q.is_sampled AND q.created_at < %(since)s
    ))::float8 AS p95_before_ms,
    count(*) FILTER (WHERE q.is_slow AND q.created_at >= %(since)s) AS slow_count,
    (max(q.execution_time_ms) FILTER (WHERE q.created_at >= %(since)s))::float8 AS slowest_ms
FROM query_performance_logs AS q
WHERE q.created_at >= %(starts_at)s AND q.created_at < %(ends_at)s
GROUP BY q.query_type
HAVING count(*) FILTER (WHERE q.created_at >= %(since)s) > 0
ORDER BY
    sum(q.execution_time_ms) FILTER (WHERE q.is_slow AND q.created_at >= %(since)s) DESC NULLS LAST,
    p95_ms DESC NULLS LAST,
    q.query_type ASC
