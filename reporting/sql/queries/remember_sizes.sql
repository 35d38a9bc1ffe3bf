-- Remember how large each table and materialized view is on this day, once; the first answer of a day stays.
INSERT INTO table_sizes (taken_on, table_name, bytes)
SELECT
    %(day)s::date AS taken_on,
    c.relname AS table_name,
    pg_total_relation_size(c.oid) AS bytes
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'm')
ON CONFLICT (table_name, taken_on) DO NOTHING
