-- Rows of a group carry the id of its first, which leads itself, and share its moment, who asked and who approved.
WITH fresh AS MATERIALIZED (
    SELECT
        f.id,
        f.group_id,
        f.created_at,
        f.initiated_by_id,
        f.approved_by_id
    FROM transfers AS f
    WHERE f.created_at >= %(since)s
),

broken AS MATERIALIZED (
    SELECT
        t.id AS transfer_id,
        t.group_id,
        t.created_at,
        f.created_at AS group_created_at
    FROM fresh AS t
    LEFT JOIN transfers AS f ON f.id = t.group_id
    WHERE
        t.group_id <> t.id
        AND (
            f.id IS NULL
            OR f.group_id <> f.id
            OR f.created_at <> t.created_at
            OR f.initiated_by_id IS DISTINCT FROM t.initiated_by_id
            OR f.approved_by_id IS DISTINCT FROM t.approved_by_id
        )
)

SELECT
    b.transfer_id,
    b.group_id,
    b.created_at,
    b.group_created_at
FROM broken AS b
ORDER BY b.transfer_id
LIMIT 1
