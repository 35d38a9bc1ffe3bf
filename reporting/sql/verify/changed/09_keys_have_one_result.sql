-- Each idempotency key stands once, and what it made exists: the first transfer of a group, a voucher, or a hold.
WITH fresh AS MATERIALIZED (
    SELECT
        f.id,
        f.actor,
        f.key,
        f.produced_kind,
        f.produced_id
    FROM idempotency_keys AS f
    WHERE f.created_at >= %(since)s
),

broken AS MATERIALIZED (
    SELECT
        k.actor,
        k.key,
        k.produced_kind,
        k.produced_id,
        k.broken
    FROM (
        SELECT
            i.actor,
            i.key,
            i.produced_kind,
            i.produced_id,
            'it made nothing' AS broken
        FROM fresh AS i
        LEFT JOIN transfers AS t ON i.produced_kind = 'transfer' AND t.id = i.produced_id AND t.group_id = t.id
        LEFT JOIN vouchers AS v ON i.produced_kind = 'voucher' AND v.public_id = i.produced_id
        LEFT JOIN holds AS h ON i.produced_kind = 'hold' AND h.public_id = i.produced_id
        WHERE t.id IS NULL AND v.id IS NULL AND h.id IS NULL
        UNION ALL
        SELECT
            a.actor,
            a.key,
            min(a.produced_kind) AS produced_kind,
            min(a.produced_id::text)::uuid AS produced_id,
            'it stands more than once' AS broken
        FROM fresh AS n
        INNER JOIN idempotency_keys AS a ON a.actor = n.actor AND a.key = n.key
        GROUP BY a.actor, a.key, n.id
        HAVING count(*) > 1
    ) AS k
)

SELECT
    b.actor,
    b.key,
    b.produced_kind,
    b.produced_id,
    b.broken
FROM broken AS b
ORDER BY b.actor, b.key
LIMIT 1
