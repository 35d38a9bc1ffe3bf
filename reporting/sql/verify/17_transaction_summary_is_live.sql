-- The view transaction_summary equals a recomputation from the entries, row by row, both ways.
SELECT
    d.wallet_id,
    d.user_id,
    d.currency,
    CASE WHEN sum(d.side) > 0 THEN 'only in the view' ELSE 'only in the recomputation' END AS broken,
    d.total_transactions,
    d.received_count,
    d.sent_count,
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
        s.received_count,
        s.sent_count,
        s.total_received,
        s.total_sent,
        s.last_transaction_date
    FROM transaction_summary AS s
    UNION ALL
    SELECT
        -1 AS side,
        w.id AS wallet_id,
        w.user_id,
        w.currency,
        coalesce(e.total_transactions, 0) AS total_transactions,
        coalesce(e.received_count, 0) AS received_count,
        coalesce(e.sent_count, 0) AS sent_count,
        coalesce(e.total_received, 0) AS total_received,
        coalesce(e.total_sent, 0) AS total_sent,
        e.last_transaction_date
    FROM wallets AS w
    LEFT JOIN (
        SELECT
            t.wallet_id,
            count(*) AS total_transactions,
            count(*) FILTER (WHERE t.type = 'received') AS received_count,
            count(*) FILTER (WHERE t.type = 'sent') AS sent_count,
            sum(t.amount) FILTER (WHERE t.type = 'received') AS total_received,
            sum(t.amount) FILTER (WHERE t.type = 'sent') AS total_sent,
            max(t.created_at) AS last_transaction_date
        FROM transactions AS t
        GROUP BY t.wallet_id
    ) AS e ON e.wallet_id = w.id
    WHERE w.kind = 'customer'
) AS d
GROUP BY
    d.wallet_id,
    d.user_id,
    d.currency,
    d.total_transactions,
    d.received_count,
    d.sent_count,
    d.total_received,
    d.total_sent,
    d.last_transaction_date
HAVING sum(d.side) <> 0
ORDER BY d.wallet_id
LIMIT 1
