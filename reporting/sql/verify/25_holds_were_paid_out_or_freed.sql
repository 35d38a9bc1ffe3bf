-- Each captured hold paid one group from its wallet, at its moment and within its amount; each ended once, in its time.
WITH paid AS (
    SELECT
        g.id,
        count(*) FILTER (WHERE g.is_all) AS groups
    FROM (
        SELECT
            c.id,
            sum(t.amount) = c.captured_amount AS is_all
        FROM holds AS c
        INNER JOIN transfers AS t ON t.from_wallet_id = c.wallet_id AND t.created_at = c.resolved_at
        WHERE c.status = 'captured'
        GROUP BY c.id, t.group_id
    ) AS g
    GROUP BY g.id
)

SELECT
    h.public_id AS hold_id,
    h.wallet_id,
    h.status,
    h.amount,
    h.captured_amount,
    h.spent_amount,
    h.expires_at,
    h.resolved_at,
    CASE
        WHEN h.captured_amount > h.amount OR h.spent_amount > h.amount OR h.spent_amount < 0 THEN 'more than was held'
        WHEN h.status = 'captured' AND coalesce(p.groups, 0) = 0 THEN 'nothing was paid out of it'
        WHEN h.status <> 'captured' AND h.captured_amount <> 0 THEN 'it was not captured'
        ELSE 'not at its time'
    END AS broken
FROM holds AS h
LEFT JOIN paid AS p ON p.id = h.id
WHERE
    h.captured_amount > h.amount
    OR h.spent_amount > h.amount
    OR h.spent_amount < 0
    OR (h.status = 'captured' AND (h.captured_amount <= 0 OR coalesce(p.groups, 0) = 0))
    OR (h.status <> 'captured' AND h.captured_amount <> 0)
    OR (h.status = 'held') <> (h.resolved_at IS NULL)
    OR h.resolved_at < h.created_at
    OR (h.status = 'captured' AND h.resolved_at >= h.expires_at)
    OR (h.status = 'expired' AND h.resolved_at < h.expires_at)
ORDER BY h.id
LIMIT 1
