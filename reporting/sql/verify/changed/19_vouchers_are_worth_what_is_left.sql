-- What each live or redeemed voucher is worth is its amount less what was redeemed; an EasyPay one is spent whole.
WITH changed AS MATERIALIZED (
    SELECT h.pgh_obj_id AS id
    FROM vouchers_history AS h
    WHERE h.transaction_id >= %(horizon)s
    UNION
    SELECT n.id
    FROM vouchers AS n
    WHERE n.created_at >= %(since)s
),

redeemed AS (
    SELECT
        p.voucher_id,
        sum(p.amount) AS amount
    FROM changed AS d
    INNER JOIN voucher_redemptions AS p ON p.voucher_id = d.id
    GROUP BY p.voucher_id
),

broken AS MATERIALIZED (
    SELECT
        v.public_id AS voucher_id,
        v.voucher_type,
        v.status,
        v.original_amount,
        v.balance,
        coalesce(r.amount, 0) AS redeemed,
        v.id AS row_id
    FROM changed AS c
    INNER JOIN vouchers AS v ON v.id = c.id
    LEFT JOIN redeemed AS r ON r.voucher_id = v.id
    WHERE
        (v.status <> 'active' AND v.balance <> 0)
        OR CASE
            WHEN v.voucher_type = 'standard' AND v.status IN ('active', 'redeemed')
                THEN v.balance <> v.original_amount - coalesce(r.amount, 0)
            -- What was left when it ended went back to its issuer.
            WHEN v.voucher_type = 'standard' THEN r.amount >= v.original_amount
            -- Finance may have taken another amount as what was spent or paid out, never more than it was worth.
            WHEN v.status = 'redeemed' THEN r.amount > v.original_amount
            ELSE r.amount IS NOT NULL OR (v.status = 'active' AND v.balance <> v.original_amount)
        END
)

SELECT
    b.voucher_id,
    b.voucher_type,
    b.status,
    b.original_amount,
    b.balance,
    b.redeemed
FROM broken AS b
ORDER BY b.row_id
LIMIT 1
