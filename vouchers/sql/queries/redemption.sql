-- One row: a part of a voucher that reached a wallet, as of that moment: nothing in it can change.
-- Parameter: transfer (its id).
SELECT
    r.public_id,
    r.transfer_id,
    r.amount,
    r.currency,
    w.number AS wallet_number,
    e.balance_after,
    e.created_at,
    v.original_amount - (
        SELECT sum(b.amount)
        FROM voucher_redemptions AS b
        WHERE b.voucher_id = r.voucher_id AND b.id <= r.id
    ) AS left_after
FROM voucher_redemptions AS r
INNER JOIN vouchers AS v ON v.id = r.voucher_id
INNER JOIN transactions AS e ON e.transfer_id = r.transfer_id AND e.type = 'received'
INNER JOIN wallets AS w ON w.id = r.wallet_id
WHERE r.transfer_id = %(transfer)s
