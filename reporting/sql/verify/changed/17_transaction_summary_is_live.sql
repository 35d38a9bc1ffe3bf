-- The view transaction_summary equals a recomputation from the entries, row by row, both ways.
-- Of wallets that moved, beside the running totals of the last entry, which the chain of entries bears out.
WITH fresh AS MATERIALIZED (
    SELECT f.id
    FROM transfers AS f
    WHERE f.created_at >= %(since)s
),

touched AS MATERIALIZED (
    SELECT DISTINCT e.wallet_id AS id
    FROM fresh AS t
    INNER JOIN transactions AS e ON e.transfer_id = t.id
),

broken AS MATERIALIZED (
    SELECT
        d.wallet_id,
        d.user_id,
        d.currency,
        CASE WHEN sum(d.side) > 0 THEN 'only in the view' ELSE 'only in the recomputation' END AS broken,
        d.total_transactions,
        d.total_received,
        d.total_sent,
        d.last_transaction_date
    FROM (
        SELECT
            1 AS side,
            s.wallet_id,
            s.user_id,
            s.currency,
            s.total_transactions,
            s.total_received,
            s.total_sent,
            s.last_transaction_date
        FROM touched AS h
        INNER JOIN transaction_summary AS s ON s.wallet_id = h.id
        UNION ALL
        SELECT
            -1 AS side,
            w.id AS wallet_id,
            w.user_id,
            w.currency,
            l.sequence AS total_transactions,
            l.total_received_after AS total_received,
            l.total_sent_after AS total_sent,
            l.created_at AS last_transaction_date
        FROM touched AS k
        INNER JOIN wallets AS w ON w.id = k.id
        LEFT JOIN transactions AS l ON l.wallet_id = w.id AND l.sequence = w.sequence
        WHERE w.kind = 'customer'
    ) AS d
    GROUP BY
        d.wallet_id,
        d.user_id,
        d.currency,
        d.total_transactions,
        d.total_received,
        d.total_sent,
        d.last_transaction_date
    HAVING sum(d.side) <> 0
)

SELECT
    b.wallet_id,
    b.user_id,
    b.currency,
    b.broken,
    b.total_transactions,
    b.total_received,
    b.total_sent,
    b.last_transaction_date
FROM broken AS b
ORDER BY b.wallet_id
LIMIT 1
