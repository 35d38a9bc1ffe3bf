-- One row per label and hour (UTC): percentiles of its sampled statements, and all of its slow ones.
SELECT
    concat(
        to_char(date_bin('1 hour', q.created_at, '2000-01-01 00:00:00+00') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24"Z"'),
        ' ',
        q.query_type
    ) AS id,
    q.query_type,
    date_bin('1 hour', q.created_at, '2000-01-01 00:00:00+00') AS hour,
    count(*) FILTER (WHERE q.is_sampled) AS samples_count,
    (percentile_cont(0.5) WITHIN GROUP (ORDER BY q.execution_time_ms) FILTER (WHERE q.is_sampled))::numeric(12, 3)
        AS p50_ms,
    (percentile_cont(0.95) WITHIN GROUP (ORDER BY q.execution_time_ms) FILTER (WHERE q.is_sampled))::numeric(12, 3)
        AS p95_ms,
    (percentile_cont(0.99) WITHIN GROUP (ORDER BY q.execution_time_ms) FILTER (WHERE q.is_sampled))::numeric(12, 3)
        AS p99_ms,
    count(*) FILTER (WHERE q.is_slow) AS slow_count,
    max(q.execution_time_ms) AS slowest_ms,
    coalesce(sum(q.rows_returned) FILTER (WHERE q.is_sampled), 0)::bigint AS rows_returned
FROM query_performance_logs AS q
GROUP BY q.query_type, date_bin('1 hour', q.created_at, '2000-01-01 00:00:00+00')
