-- One row per entry of a wallet from one sequence (excluded) to another (included), oldest first, with the other end.
WITH page AS (
    SELECT
        t.wallet_id,
        t.sequence,
        t.transfer_id,
        t.type,
        t.amount,
        t.currency,
        t.balance_after,
        t.created_at
    FROM transactions AS t
    WHERE t.wallet_id = %(wallet_id)s AND t.sequence > %(after_sequence)s AND t.sequence <= %(last_sequence)s
)

SELECT
    w.number,
    e.sequence,
    e.transfer_id,
    e.type,
    f.kind,
    e.amount,
    e.currency,
    e.balance_after,
    f.reference,
    e.created_at,
    o.number AS counterparty_number,
    u.first_name || ' ' || left(u.last_name, 1) || '.' AS counterparty_name
FROM page AS e
INNER JOIN wallets AS w ON w.id = e.wallet_id
INNER JOIN transfers AS f ON f.id = e.transfer_id
INNER JOIN wallets AS o ON o.id = CASE e.type WHEN 'sent' THEN f.to_wallet_id ELSE f.from_wallet_id END
LEFT JOIN users AS u ON u.id = o.user_id
ORDER BY e.sequence
