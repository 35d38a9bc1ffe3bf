-- What the bank owes for vouchers is what active standard and EasyPay vouchers are worth, per currency.
WITH liability AS (
    SELECT
        l.currency,
        sum(l.balance) AS balance
    FROM wallets AS l
    WHERE l.kind = 'voucher_liability'
    GROUP BY l.currency
),

owed AS (
    SELECT
        a.currency,
        sum(a.balance) AS balance
    FROM vouchers AS a
    WHERE a.status = 'active' AND a.voucher_type IN ('standard', 'easypay_voucher')
    GROUP BY a.currency
)

SELECT
    coalesce(w.currency, v.currency) AS currency,
    coalesce(w.balance, 0) AS voucher_liability,
    coalesce(v.balance, 0) AS active_vouchers,
    coalesce(w.balance, 0) - coalesce(v.balance, 0) AS difference
FROM liability AS w
FULL JOIN owed AS v ON v.currency = w.currency
WHERE coalesce(w.balance, 0) <> coalesce(v.balance, 0)
ORDER BY currency
LIMIT 1
