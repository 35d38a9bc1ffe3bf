-- What stands in suspense is the open items: owed to customers counts up, owed to tills counts down, per currency.
WITH suspense AS (
    SELECT
        l.currency,
        sum(l.balance) AS balance
    FROM wallets AS l
    WHERE l.kind = 'suspense'
    GROUP BY l.currency
),

open_items AS (
    SELECT
        i.currency,
        sum(CASE i.direction WHEN 'owed_to_customer' THEN i.amount WHEN 'owed_to_till' THEN -i.amount END) AS amount
    FROM suspense_items AS i
    WHERE i.resolved_at IS NULL
    GROUP BY i.currency
)

SELECT
    coalesce(w.currency, s.currency) AS currency,
    coalesce(w.balance, 0) AS suspense,
    coalesce(s.amount, 0) AS open_items,
    coalesce(w.balance, 0) - coalesce(s.amount, 0) AS difference
FROM suspense AS w
FULL JOIN open_items AS s ON s.currency = w.currency
WHERE coalesce(w.balance, 0) <> coalesce(s.amount, 0)
ORDER BY currency
LIMIT 1
