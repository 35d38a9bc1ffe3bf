-- One row: a transfer as its sender was told of it, from rows that never change.
SELECT
    t.id AS transfer_id,
    t.kind,
    t.amount,
    t.currency,
    t.reference,
    w.number AS recipient_number,
    s.balance_after,
    t.created_at
FROM transfers AS t
INNER JOIN wallets AS w ON w.id = t.to_wallet_id
INNER JOIN transactions AS s ON s.transfer_id = t.id AND s.type = 'sent'
WHERE t.id = %(transfer)s
