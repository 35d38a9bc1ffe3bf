-- Each transfer has exactly two entries, one sent and one received, which sum to zero in one currency.
WITH fresh AS MATERIALIZED (
    SELECT f.id
    FROM transfers AS f
    WHERE f.created_at >= %(since)s
),

broken AS MATERIALIZED (
    SELECT
        t.id AS transfer_id,
        count(e.id) AS entries,
        count(e.id) FILTER (WHERE e.type = 'sent') AS sent,
        count(e.id) FILTER (WHERE e.type = 'received') AS received,
        coalesce(sum(e.amount) FILTER (WHERE e.type = 'received'), 0)
        - coalesce(sum(e.amount) FILTER (WHERE e.type = 'sent'), 0) AS difference
    FROM fresh AS t
    LEFT JOIN transactions AS e ON e.transfer_id = t.id
    GROUP BY t.id
    HAVING
        count(e.id) <> 2
        OR count(e.id) FILTER (WHERE e.type = 'sent') <> 1
        OR count(e.id) FILTER (WHERE e.type = 'received') <> 1
        OR min(e.currency) <> max(e.currency)
        OR sum(e.amount) FILTER (WHERE e.type = 'received') <> sum(e.amount) FILTER (WHERE e.type = 'sent')
)

SELECT
    b.transfer_id,
    b.entries,
    b.sent,
    b.received,
    b.difference
FROM broken AS b
ORDER BY b.transfer_id
LIMIT 1
