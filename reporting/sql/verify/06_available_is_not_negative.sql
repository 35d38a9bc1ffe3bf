-- No customer has less than nothing available, nothing held or spent is below zero, and a closed wallet is empty.
SELECT
    w.number AS wallet_number,
    w.id AS wallet_id,
    w.status,
    w.balance,
    w.held,
    w.balance - w.held AS available,
    w.spent_day_amount,
    w.spent_month_amount
FROM wallets AS w
WHERE
    (w.kind = 'customer' AND w.balance - w.held < 0)
    OR w.held < 0
    OR (w.status = 'closed' AND (w.balance <> 0 OR w.held <> 0))
    OR w.spent_day_amount < 0
    OR w.spent_month_amount < w.spent_day_amount
ORDER BY w.id
LIMIT 1
