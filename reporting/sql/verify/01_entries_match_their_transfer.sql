-- Each entry belongs to a transfer and repeats it: the payer's as sent, the payee's as received, amount and moment too.
SELECT
    e.transfer_id,
    e.wallet_id,
    e.sequence,
    e.type,
    e.amount,
    e.currency,
    CASE WHEN t.id IS NULL THEN 'there is no such transfer' ELSE 'the transfer says otherwise' END AS broken
FROM transactions AS e
LEFT JOIN transfers AS t ON t.id = e.transfer_id
WHERE
    t.id IS NULL
    OR e.wallet_id <> CASE e.type WHEN 'sent' THEN t.from_wallet_id WHEN 'received' THEN t.to_wallet_id ELSE -1 END
    OR e.amount <> t.amount
    OR e.currency <> t.currency
    OR e.created_at <> t.created_at
ORDER BY e.transfer_id, e.type
LIMIT 1
