-- One row per currency and wallet of the house over its stripes, one for the whole house, and one for all customers,
-- who have what it lacks, as one period left them: what stood before, came in, went out, and stands after. Each wallet
-- costs two probes of (wallet, time), however long its history: an entry carries the totals after it.
WITH house AS (
    SELECT
        w.currency,
        w.kind,
        sum(coalesce(o.balance_after, 0)) AS opening_balance,
        sum(coalesce(c.total_received_after, 0) - coalesce(o.total_received_after, 0)) AS received,
        sum(coalesce(c.total_sent_after, 0) - coalesce(o.total_sent_after, 0)) AS sent,
        sum(coalesce(c.balance_after, 0)) AS closing_balance
    FROM wallets AS w
    LEFT JOIN LATERAL (
        SELECT
            e.balance_after,
            e.total_received_after,
            e.total_sent_after
        FROM transactions AS e
        WHERE e.wallet_id = w.id AND e.created_at < %(starts_at)s
        ORDER BY e.created_at DESC, e.sequence DESC
        LIMIT 1
    ) AS o ON TRUE
    LEFT JOIN LATERAL (
        SELECT
            e.balance_after,
            e.total_received_after,
            e.total_sent_after
        FROM transactions AS e
        WHERE e.wallet_id = w.id AND e.created_at < %(ends_at)s
        ORDER BY e.created_at DESC, e.sequence DESC
        LIMIT 1
    ) AS c ON TRUE
    WHERE w.kind <> 'customer'
    GROUP BY w.currency, w.kind
)

SELECT
    h.currency,
    1 AS place,
    h.kind,
    h.opening_balance,
    h.received,
    h.sent,
    h.closing_balance - h.opening_balance AS change,
    h.closing_balance
FROM house AS h
UNION ALL
SELECT
    h.currency,
    2 AS place,
    'house' AS kind,
    sum(h.opening_balance) AS opening_balance,
    sum(h.received) AS received,
    sum(h.sent) AS sent,
    sum(h.closing_balance) - sum(h.opening_balance) AS change,
    sum(h.closing_balance) AS closing_balance
FROM house AS h
GROUP BY h.currency
UNION ALL
SELECT
    h.currency,
    3 AS place,
    'customers' AS kind,
    -sum(h.opening_balance) AS opening_balance,
    NULL AS received,
    NULL AS sent,
    sum(h.opening_balance) - sum(h.closing_balance) AS change,
    -sum(h.closing_balance) AS closing_balance
FROM house AS h
GROUP BY h.currency
ORDER BY currency, place, kind
