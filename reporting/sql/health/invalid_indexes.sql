-- One row per index that is not whole: no query uses it, and every write may still pay for it.
SELECT
    i.indrelid::regclass::text AS table_name,
    c.relname AS index_name,
    i.indisunique AS is_unique,
    EXISTS(
        SELECT 1 FROM pg_stat_progress_create_index AS p
        WHERE p.index_relid = i.indexrelid
    ) AS is_being_built
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE c.relkind = 'i' AND NOT (i.indisvalid AND i.indisready AND i.indislive)
ORDER BY is_being_built, c.relname
LIMIT %(most)s
