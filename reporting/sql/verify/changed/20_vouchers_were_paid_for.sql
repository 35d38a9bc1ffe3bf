-- Each standard and EasyPay voucher was paid for, in full, by one transfer of its customer that paid for nothing else.
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
        i.voucher_id,
        i.voucher_type,
        i.issue_transfer_id,
        i.broken,
        i.id AS row_id
    FROM (
        SELECT
            v.id,
            v.public_id AS voucher_id,
            v.voucher_type,
            v.issue_transfer_id,
            CASE
                WHEN v.voucher_type NOT IN ('standard', 'easypay_voucher') AND v.issue_transfer_id IS NOT NULL
                    THEN 'nothing was to be paid'
                WHEN v.voucher_type IN ('standard', 'easypay_voucher') AND t.id IS NULL THEN 'nothing was paid'
                WHEN
                    t.kind <> 'voucher_issue'
                    OR t.amount <> v.original_amount
                    OR t.currency <> v.currency
                    OR payer.kind <> 'customer'
                    OR payer.user_id <> v.user_id
                    OR payee.kind <> 'voucher_liability'
                    THEN 'something else was paid'
            END AS broken
        FROM changed AS c
        INNER JOIN vouchers AS v ON v.id = c.id
        LEFT JOIN transfers AS t ON t.id = v.issue_transfer_id
        LEFT JOIN wallets AS payer ON payer.id = t.from_wallet_id
        LEFT JOIN wallets AS payee ON payee.id = t.to_wallet_id
        UNION ALL
        SELECT
            min(d.id) AS id,
            min(d.public_id::text)::uuid AS voucher_id,
            min(d.voucher_type) AS voucher_type,
            d.issue_transfer_id,
            'it paid for more than one' AS broken
        FROM changed AS k
        INNER JOIN vouchers AS o ON o.id = k.id
        INNER JOIN vouchers AS d ON d.issue_transfer_id = o.issue_transfer_id
        GROUP BY d.issue_transfer_id
        HAVING count(DISTINCT d.id) > 1
    ) AS i
    WHERE i.broken IS NOT NULL
)

SELECT
    b.voucher_id,
    b.voucher_type,
    b.issue_transfer_id,
    b.broken
FROM broken AS b
ORDER BY b.row_id
LIMIT 1
