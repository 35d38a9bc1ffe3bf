-- One row per table that is not tiny: its dead rows, what changed since it was analysed, and when it was last seen to.
SELECT
    t.relname AS table_name,
    t.n_live_tup AS live_rows,
    t.n_dead_tup AS dead_rows,
    t.n_mod_since_analyze AS changed_rows,
    greatest(t.last_vacuum, t.last_autovacuum) AS vacuumed_at,
    greatest(t.last_analyze, t.last_autoanalyze) AS analyzed_at,
    coalesce('autovacuum_enabled=false' = ANY(c.reloptions), FALSE) AS is_left_alone
FROM pg_stat_user_tables AS t
INNER JOIN pg_class AS c ON c.oid = t.relid
WHERE t.schemaname = 'public' AND t.n_live_tup + t.n_dead_tup > 1000
ORDER BY t.n_dead_tup DESC, t.relname ASC
LIMIT %(most)s
