-- Each entry belongs to a transfer and repeats it: the payer's as sent, the payee's as received, amount and moment too.
WITH fresh AS MATERIALIZED (
    SELECT
        f.id,
        f.from_wallet_id,
        f.to_wallet_id,
        f.amount,
        f.currency,
        f.created_at
    FROM transfers AS f
    WHERE f.created_at >= %(since)s
),

broken AS MATERIALIZED (
    SELECT
        e.transfer_id,
        e.wallet_id,
        e.sequence,
        e.type,
        e.amount,
        e.currency,
        'the transfer says otherwise' AS broken
    FROM fresh AS t
    INNER JOIN transactions AS e ON e.transfer_id = t.id
    WHERE
        e.wallet_id <> CASE e.type WHEN 'sent' THEN t.from_wallet_id WHEN 'received' THEN t.to_wallet_id ELSE -1 END
        OR e.amount <> t.amount
        OR e.currency <> t.currency
        OR e.created_at <> t.created_at
)

SELECT
    b.transfer_id,
    b.wallet_id,
    b.sequence,
    b.type,
    b.amount,
    b.currency,
    b.broken
FROM broken AS b
ORDER BY b.transfer_id, b.type
LIMIT 1
