-- One row per currency and wallet of the house over its stripes, one for the whole house, and one for all customers,
-- who have what it lacks: all wallets of a currency sum to zero. Reads the house's few rows, not customers'.
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
    1 AS place,
    h.kind,
    h.stripes,
    h.balance,
    h.last_entry_at
FROM house AS h
UNION ALL
SELECT
    h.currency,
    2 AS place,
    'house' AS kind,
    NULL AS stripes,
    sum(h.balance) AS balance,
    max(h.last_entry_at) AS last_entry_at
FROM house AS h
GROUP BY h.currency
UNION ALL
SELECT
    h.currency,
    3 AS place,
    'customers' AS kind,
    NULL AS stripes,
    -sum(h.balance) AS balance,
    max(h.last_entry_at) AS last_entry_at
FROM house AS h
GROUP BY h.currency
ORDER BY currency, place, kind
