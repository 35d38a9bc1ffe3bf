-- One row per index that no query has used since the counters began, the largest first. None that a rule stands on:
-- unique, primary, exclusion, a constraint's, a replica's identity.
SELECT
    s.relname AS table_name,
    s.indexrelname AS index_name,
    c.relpages::bigint * current_setting('block_size')::bigint AS bytes,
    EXISTS(
        SELECT 1
        FROM pg_constraint AS f
        WHERE f.contype = 'f' AND f.conrelid = i.indrelid AND f.conkey[1] = i.indkey[0]
    ) AS leads_with_a_key
FROM pg_stat_user_indexes AS s
INNER JOIN pg_index AS i ON i.indexrelid = s.indexrelid
INNER JOIN pg_class AS c ON c.oid = s.indexrelid
WHERE
    s.schemaname = 'public'
    AND s.idx_scan = 0
    AND i.indisvalid
    AND NOT i.indisunique
    AND NOT i.indisprimary
    AND NOT i.indisexclusion
    AND NOT i.indisreplident
    AND NOT EXISTS (
        SELECT 1 FROM pg_constraint AS k
        WHERE k.conindid = s.indexrelid
    )
ORDER BY bytes DESC, s.indexrelname ASC
LIMIT %(most)s
