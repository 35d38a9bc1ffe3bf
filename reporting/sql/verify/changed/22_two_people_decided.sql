-- What finance decides was proposed by one and approved by another, and whoever asked for or approved anything exists.
WITH fresh AS MATERIALIZED (
    SELECT
        f.id,
        f.kind,
        f.initiated_by_id,
        f.approved_by_id
    FROM transfers AS f
    WHERE f.created_at >= %(since)s
),

broken AS MATERIALIZED (
    SELECT
        t.id AS transfer_id,
        t.kind,
        t.initiated_by_id,
        t.approved_by_id,
        CASE
            WHEN a.id IS NULL AND t.initiated_by_id IS NOT NULL THEN 'nobody asked for it'
            WHEN b.id IS NULL AND t.approved_by_id IS NOT NULL THEN 'nobody approved it'
            ELSE 'one decided alone'
        END AS broken
    FROM fresh AS t
    LEFT JOIN users AS a ON a.id = t.initiated_by_id
    LEFT JOIN users AS b ON b.id = t.approved_by_id
    WHERE
        (t.initiated_by_id IS NOT NULL AND a.id IS NULL)
        OR (t.approved_by_id IS NOT NULL AND b.id IS NULL)
        OR (
            t.kind IN ('release', 'resolution', 'reversal', 'collection', 'adjustment', 'settlement')
            AND (t.initiated_by_id <> t.approved_by_id) IS NOT TRUE
        )
)

SELECT
    b.transfer_id,
    b.kind,
    b.initiated_by_id,
    b.approved_by_id,
    b.broken
FROM broken AS b
ORDER BY b.transfer_id
LIMIT 1
