-- One measured query for each of `queries`, over the days up to `until`. Parameters: queries, days, until.
INSERT INTO query_performance_logs (query_type, execution_time_ms, rows_returned, is_sampled, is_slow, created_at)
SELECT
    (ARRAY['GET /api/v1/dashboard', 'GET /api/v1/statements', 'GET /api/v1/transactions'])[mod(n, 3) + 1] AS query_type,
    1 + mod(n, 50) AS execution_time_ms,
    1 + mod(n, 100) AS rows_returned,
    TRUE AS is_sampled,
    FALSE AS is_slow,
    %(until)s - make_interval(secs => (%(queries)s - n) * 86400.0 * %(days)s / %(queries)s) AS created_at
FROM generate_series(1, %(queries)s::bigint) AS n
