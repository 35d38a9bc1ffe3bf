-- One batch of the oldest, whole hours that ended by `ends_at`, which ix_query_performance_hour begins with.
-- Parameters: ends_at, most (rows).
DELETE FROM query_performance_logs AS q
WHERE q.id IN (
    SELECT o.id
    FROM query_performance_logs AS o
    WHERE
        date_bin('1 hour', o.created_at, '2000-01-01 00:00:00+00')
        < date_bin('1 hour', %(ends_at)s, '2000-01-01 00:00:00+00')
    ORDER BY date_bin('1 hour', o.created_at, '2000-01-01 00:00:00+00')
    LIMIT %(most)s
)
