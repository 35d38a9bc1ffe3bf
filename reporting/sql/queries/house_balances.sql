-- One row per currency and wallet of the house over its stripes, and one for all customers, who have what the house
-- lacks: all wallets of a currency sum to zero. Reads the house's few rows, whatever customers there are.
WITH house AS (
    SELECT
        w.currency,
        w.kind,
        count(*) AS stripes,
        sum(w.balance) AS balance,
        max(w.last_entry_at) AS last_entry_at
    FROM wallets AS w
    WHERE w.kind <> 'customer'
    GROUP BY w.currency, w.kind
)

SELECT
    h.currency,
    h.kind,
    h.stripes,
    h.balance,
    h.last_entry_at
FROM house AS h
UNION ALL
SELECT
    h.currency,
    'customers' AS kind,
    NULL AS stripes,
    -sum(h.balance) AS balance,
    max(h.last_entry_at) AS last_entry_at
FROM house AS h
GROUP BY h.currency
ORDER BY currency, kind
