-- One row, if it is this customer's: an entry, found by its wallet's number and its sequence.
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
FROM users AS p
INNER JOIN wallets AS w ON w.user_id = p.id AND w.kind = 'customer'
INNER JOIN transactions AS t ON t.wallet_id = w.id
INNER JOIN transfers AS f ON f.id = t.transfer_id
INNER JOIN wallets AS o ON o.id = CASE t.type WHEN 'sent' THEN f.to_wallet_id ELSE f.from_wallet_id END
LEFT JOIN users AS u ON u.id = o.user_id
WHERE p.public_id = %(user)s AND w.number = %(number)s AND t.sequence = %(sequence)s
