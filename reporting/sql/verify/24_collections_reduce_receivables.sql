-- What was collected of each receivable is the sum of its collections, each a transfer of the debtor's to the bank.
WITH collected AS (
    SELECT
        s.receivable_id,
        sum(s.amount) AS amount
    FROM receivable_collections AS s
    GROUP BY s.receivable_id
),

paid AS (
    SELECT
        t.id,
        t.from_wallet_id,
        t.amount,
        t.currency
    FROM transfers AS t
    INNER JOIN wallets AS payee ON payee.id = t.to_wallet_id
    WHERE t.kind = 'collection' AND payee.kind = 'adjustments'
)

SELECT
    b.receivable_id,
    b.transfer_id,
    b.broken
FROM (
    SELECT
        r.id,
        r.public_id AS receivable_id,
        NULL::uuid AS transfer_id,
        'the collections sum to something else' AS broken
    FROM receivables AS r
    LEFT JOIN collected AS k ON k.receivable_id = r.id
    WHERE r.collected_amount <> coalesce(k.amount, 0) OR r.collected_amount > r.amount
    UNION ALL
    SELECT
        o.id,
        o.public_id AS receivable_id,
        coalesce(p.id, c.transfer_id) AS transfer_id,
        CASE WHEN c.id IS NULL THEN 'nothing was owed' ELSE 'the transfer says otherwise' END AS broken
    FROM receivable_collections AS c
    LEFT JOIN receivables AS o ON o.id = c.receivable_id
    FULL JOIN paid AS p ON p.id = c.transfer_id
    WHERE
        c.id IS NULL
        OR o.id IS NULL
        OR p.id IS NULL
        OR c.amount <> p.amount
        OR o.currency <> p.currency
        OR o.wallet_id <> p.from_wallet_id
) AS b
ORDER BY b.id, b.transfer_id
LIMIT 1
