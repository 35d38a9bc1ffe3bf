-- One row per B-tree index and another that answers all it answers: its columns, in its order and of its kind, are the
-- other's first ones. Of two that are equal the younger one is named; none that a rule stands on. Written so that what
-- is dropped by it is never missed: both have the same condition, and the other holds every column that this one holds.
WITH one AS (
    SELECT
        i.indexrelid AS id,
        i.indrelid AS table_id,
        c.relname AS index_name,
        c.relpages::bigint * current_setting('block_size')::bigint AS bytes,
        coalesce(pg_get_expr(i.indpred, i.indrelid), '') AS condition,
        i.indisunique
        OR i.indisprimary
        OR i.indisexclusion
        OR i.indisreplident
        OR EXISTS (
            SELECT 1 FROM pg_constraint AS k
            WHERE k.conindid = i.indexrelid
        ) AS is_a_rule,
        ARRAY(
            SELECT
                concat_ws(
                    ' ',
                    pg_get_indexdef(i.indexrelid, p.place, FALSE),
                    i.indclass[p.place - 1],
                    i.indcollation[p.place - 1],
                    i.indoption[p.place - 1]
                )
            FROM generate_series(1, i.indnkeyatts::int) AS p (place)
            ORDER BY p.place
        ) AS keys,
        ARRAY(
            SELECT pg_get_indexdef(i.indexrelid, p.place, FALSE)
            FROM generate_series(1, i.indnatts::int) AS p (place)
        ) AS columns
    FROM pg_index AS i
    INNER JOIN pg_class AS c ON c.oid = i.indexrelid
    INNER JOIN pg_am AS m ON m.oid = c.relam
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND m.amname = 'btree' AND i.indisvalid
)

SELECT DISTINCT ON (a.bytes, a.index_name)
    a.table_id::regclass::text AS table_name,
    a.index_name,
    a.bytes,
    b.index_name AS other_name
FROM one AS a
INNER JOIN one AS b ON b.table_id = a.table_id AND b.id <> a.id
WHERE
    NOT a.is_a_rule
    AND b.condition = a.condition
    AND b.keys[1:cardinality(a.keys)] = a.keys
    AND b.columns @> a.columns
    AND (
        b.is_a_rule
        OR cardinality(b.keys) > cardinality(a.keys)
        OR cardinality(b.columns) > cardinality(a.columns)
        OR b.id < a.id
    )
ORDER BY a.bytes DESC, a.index_name ASC, b.id ASC
LIMIT %(most)s
