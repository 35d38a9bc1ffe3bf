-- Each pending cash-out has one live hold of face, fee and VAT on its own customer's wallet, and no other one has any.
SELECT
    v.public_id AS voucher_id,
    v.status,
    v.original_amount + v.fee_amount + v.vat_amount AS needed,
    h.public_id AS hold_id,
    h.status AS hold_status,
    h.amount AS held
FROM vouchers AS v
LEFT JOIN holds AS h ON h.id = v.hold_id
LEFT JOIN wallets AS w ON w.id = h.wallet_id
WHERE
    v.voucher_type = 'easypay_cashout'
    AND (
        (v.status = 'pending_payment') IS DISTINCT FROM (h.status = 'held')
        OR h.amount <> v.original_amount + v.fee_amount + v.vat_amount
        OR h.currency <> v.currency
        OR w.user_id IS DISTINCT FROM v.user_id
    )
ORDER BY v.id
LIMIT 1
