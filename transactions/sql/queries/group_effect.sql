-- One row per customer wallet, and per wallet of the house over its stripes, that a group moved money of: by how much,
-- and how it stands afterwards. Asked in the transaction that posted the group, whose locks keep customers still.
WITH moved AS (
    SELECT
        e.wallet_id,
        coalesce(sum(e.amount) FILTER (WHERE e.type = 'received'), 0)
        - coalesce(sum(e.amount) FILTER (WHERE e.type = 'sent'), 0) AS change
    FROM transfers AS t
    INNER JOIN transactions AS e ON e.transfer_id = t.id
    WHERE t.id = %(transfer)s OR (t.group_id = %(transfer)s AND t.group_id <> t.id)
    GROUP BY e.wallet_id
),

house AS (
    SELECT
        w.kind,
        w.currency,
        sum(m.change) AS change
    FROM moved AS m
    INNER JOIN wallets AS w ON w.id = m.wallet_id
    WHERE w.kind <> 'customer'
    GROUP BY w.kind, w.currency
)

SELECT
    w.number,
    w.kind,
    w.currency,
    m.change,
    w.balance - m.change AS before,
    w.balance AS after,
    w.held + coalesce(h.amount, 0) AS held_before,
    w.held AS held_after
FROM moved AS m
INNER JOIN wallets AS w ON w.id = m.wallet_id
LEFT JOIN holds AS h ON h.wallet_id = w.id AND h.id = %(hold)s
WHERE w.kind = 'customer'
UNION ALL
SELECT
    NULL AS number,
    s.kind,
    s.currency,
    s.change,
    sum(w.balance) - s.change AS before,
    sum(w.balance) AS after,
    0 AS held_before,
    0 AS held_after
FROM house AS s
INNER JOIN wallets AS w ON w.kind = s.kind AND w.currency = s.currency
GROUP BY s.kind, s.currency, s.change
ORDER BY kind, number
