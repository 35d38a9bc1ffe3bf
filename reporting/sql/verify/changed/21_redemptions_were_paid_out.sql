-- Each redemption was paid by one transfer of its amount into the wallet it names, or to a till where it names none.
WITH changed AS MATERIALIZED (
    SELECT h.pgh_obj_id AS id
    FROM vouchers_history AS h
    WHERE h.transaction_id >= %(horizon)s
    UNION
    SELECT n.id
    FROM vouchers AS n
    WHERE n.created_at >= %(since)s
),

broken AS MATERIALIZED (
    SELECT
        p.redemption_id,
        p.voucher_id,
        p.transfer_id,
        p.amount,
        t.amount AS transfer_amount,
        p.wallet_id,
        t.to_wallet_id,
        CASE WHEN p.redemptions > 1 THEN 'paid for more than one' ELSE 'the transfer says otherwise' END AS broken,
        p.id AS row_id
    FROM (
        SELECT
            r.id,
            r.public_id AS redemption_id,
            r.voucher_id,
            r.wallet_id,
            r.transfer_id,
            r.amount,
            r.currency,
            (
                SELECT count(*)
                FROM voucher_redemptions AS o
                WHERE o.transfer_id = r.transfer_id
            ) AS redemptions
        FROM changed AS c
        INNER JOIN voucher_redemptions AS r ON r.voucher_id = c.id
    ) AS p
    LEFT JOIN vouchers AS v ON v.id = p.voucher_id
    LEFT JOIN transfers AS t ON t.id = p.transfer_id
    LEFT JOIN wallets AS payer ON payer.id = t.from_wallet_id
    LEFT JOIN wallets AS payee ON payee.id = t.to_wallet_id
    WHERE
        p.redemptions > 1
        OR v.id IS NULL
        OR t.id IS NULL
        OR p.amount <> t.amount
        OR p.currency <> t.currency
        OR p.currency <> v.currency
        OR p.wallet_id <> t.to_wallet_id
        OR (p.wallet_id IS NULL AND payee.kind = 'customer')
        OR (v.voucher_type = 'standard' AND (p.wallet_id IS NULL OR payer.kind <> 'voucher_liability'))
)

SELECT
    b.redemption_id,
    b.voucher_id,
    b.transfer_id,
    b.amount,
    b.transfer_amount,
    b.wallet_id,
    b.to_wallet_id,
    b.broken
FROM broken AS b
ORDER BY b.row_id
LIMIT 1
