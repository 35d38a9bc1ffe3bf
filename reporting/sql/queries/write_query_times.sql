-- What was taken out of Redis, one row for each element. Whoever is gone by now is nobody. Parameters: rows.
INSERT INTO query_performance_logs
(query_type, execution_time_ms, rows_returned, user_id, is_sampled, is_slow, created_at)
SELECT
    r.query_type,
    r.execution_time_ms,
    r.rows_returned,
    u.id AS user_id,
    r.is_sampled,
    r.is_slow,
    r.created_at
FROM
    jsonb_to_recordset(%(rows)s::jsonb)
        AS r (
            query_type text,
            execution_time_ms numeric,
            rows_returned bigint,
            user_id bigint,
            is_sampled boolean,
            is_slow boolean,
            created_at timestamptz
        )
LEFT JOIN users AS u ON u.id = r.user_id
