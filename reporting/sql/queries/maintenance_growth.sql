-- One row per table whose size was remembered since a day, the fastest growing first, and one of all together,
-- without a name: how many bytes it takes, and by how many it grew a day, along the line nearest to all those days.
WITH days AS (
    SELECT
        s.table_name,
        s.taken_on,
        sum(s.bytes) AS bytes
    FROM table_sizes AS s
    WHERE s.taken_on >= %(since)s
    GROUP BY GROUPING SETS ((s.table_name, s.taken_on), (s.taken_on))
)

SELECT
    d.table_name,
    max(d.taken_on) - min(d.taken_on) AS spanned_days,
    ((array_agg(d.bytes ORDER BY d.taken_on DESC))[1])::bigint AS bytes,
    coalesce(regr_slope(d.bytes, d.taken_on - '2020-01-01'::date), 0)::float8 AS per_day_bytes,
    pg_database_size(current_database()) AS database_bytes
FROM days AS d
GROUP BY d.table_name
ORDER BY per_day_bytes DESC, d.table_name ASC
