-- One row per table, most read from the disk first: how many blocks of it and of its indexes were found in memory.
SELECT
    s.relname AS table_name,
    coalesce(s.heap_blks_hit, 0) AS table_hits,
    coalesce(s.heap_blks_read, 0) AS table_reads,
    coalesce(s.idx_blks_hit, 0) AS index_hits,
    coalesce(s.idx_blks_read, 0) AS index_reads,
    sum(coalesce(s.heap_blks_hit, 0)) OVER () AS all_table_hits,
    sum(coalesce(s.heap_blks_read, 0)) OVER () AS all_table_reads,
    sum(coalesce(s.idx_blks_hit, 0)) OVER () AS all_index_hits,
    sum(coalesce(s.idx_blks_read, 0)) OVER () AS all_index_reads
FROM pg_statio_user_tables AS s
WHERE s.schemaname = 'public'
ORDER BY coalesce(s.heap_blks_read, 0) + coalesce(s.idx_blks_read, 0) DESC, s.relname
LIMIT %(most)s
