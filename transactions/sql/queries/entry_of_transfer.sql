-- One row, if this customer is one of its two ends: a transfer as he sees it.
SELECT
    w.number,
    t.sequence,
    t.transfer_id,
    t.type,
    f.kind,
    t.amount,
    t.currency,
    t.balance_after,
    f.reference,
    t.created_at,
    o.number AS counterparty_number,
    u.first_name || ' ' || left(u.last_name, 1) || '.' AS counterparty_name
FROM transactions AS t
INNER JOIN users AS p ON p.id = t.user_id
INNER JOIN wallets AS w ON w.id = t.wallet_id
INNER JOIN transfers AS f ON f.id = t.transfer_id
INNER JOIN wallets AS o ON o.id = CASE t.type WHEN 'sent' THEN f.to_wallet_id ELSE f.from_wallet_id END
LEFT JOIN users AS u ON u.id = o.user_id
WHERE t.transfer_id = %(transfer)s AND p.public_id = %(user)s
