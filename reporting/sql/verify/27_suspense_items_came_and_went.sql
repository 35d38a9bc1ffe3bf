-- What each group put into suspense, or took out, is the items it opened less those it resolved, signed by direction.
WITH moved AS (
    SELECT
        m.group_id,
        m.currency,
        sum(m.amount) AS amount
    FROM (
        SELECT
            t.group_id,
            t.currency,
            t.amount
        FROM wallets AS w
        INNER JOIN transfers AS t ON t.to_wallet_id = w.id
        WHERE w.kind = 'suspense'
        UNION ALL
        SELECT
            f.group_id,
            f.currency,
            -f.amount AS amount
        FROM wallets AS s
        INNER JOIN transfers AS f ON f.from_wallet_id = s.id
        WHERE s.kind = 'suspense'
    ) AS m
    GROUP BY m.group_id, m.currency
),

items AS (
    SELECT
        c.group_id,
        c.currency,
        sum(CASE c.direction WHEN 'owed_to_customer' THEN c.amount WHEN 'owed_to_till' THEN -c.amount END) AS amount
    FROM (
        SELECT
            coalesce(o.group_id, i.transfer_id) AS group_id,
            i.currency,
            i.direction,
            i.amount
        FROM suspense_items AS i
        LEFT JOIN transfers AS o ON o.id = i.transfer_id
        UNION ALL
        SELECT
            coalesce(r.group_id, d.resolution_transfer_id) AS group_id,
            d.currency,
            d.direction,
            -d.amount AS amount
        FROM suspense_items AS d
        LEFT JOIN transfers AS r ON r.id = d.resolution_transfer_id
        WHERE d.resolved_at IS NOT NULL
    ) AS c
    GROUP BY c.group_id, c.currency
)

SELECT
    coalesce(g.group_id, n.group_id) AS group_id,
    coalesce(g.currency, n.currency) AS currency,
    coalesce(g.amount, 0) AS moved,
    coalesce(n.amount, 0) AS items,
    coalesce(g.amount, 0) - coalesce(n.amount, 0) AS difference
FROM moved AS g
FULL JOIN items AS n ON n.group_id = g.group_id AND n.currency = g.currency
WHERE coalesce(g.amount, 0) <> coalesce(n.amount, 0)
ORDER BY group_id
LIMIT 1
