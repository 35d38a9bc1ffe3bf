-- One row per table or materialized view, the largest first, beside the earliest size that is remembered of a month.
WITH earlier AS (
    SELECT DISTINCT ON (r.table_name)
        r.table_name,
        r.taken_on,
        r.bytes
    FROM table_sizes AS r
    WHERE r.taken_on >= current_date - 30 AND r.taken_on < current_date
    ORDER BY r.table_name, r.taken_on
)

SELECT
    c.relname AS table_name,
    pg_total_relation_size(c.oid) AS bytes,
    pg_indexes_size(c.oid) AS index_bytes,
    e.bytes AS earlier_bytes,
    current_date - e.taken_on AS earlier_days,
    pg_database_size(current_database()) AS database_bytes
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN earlier AS e ON e.table_name = c.relname
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'm')
ORDER BY bytes DESC, c.relname ASC
LIMIT %(most)s
