-- One row per table and materialized view, the smallest first.
SELECT c.relname AS table_name
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'm') AND (c.relkind <> 'm' OR c.relispopulated)
ORDER BY c.relpages, c.relname
