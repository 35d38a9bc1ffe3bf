-- What each wallet holds back is the sum of its live holds, in its own currency.
WITH live AS (
    SELECT
        l.wallet_id,
        sum(l.amount) AS amount,
        min(l.currency) AS first_currency,
        max(l.currency) AS last_currency
    FROM holds AS l
    WHERE l.status = 'held'
    GROUP BY l.wallet_id
)

SELECT
    coalesce(w.number, 'none') AS wallet_number,
    coalesce(w.id, h.wallet_id) AS wallet_id,
    w.held,
    coalesce(h.amount, 0) AS live_holds
FROM wallets AS w
FULL JOIN live AS h ON h.wallet_id = w.id
WHERE
    w.held IS DISTINCT FROM coalesce(h.amount, 0)
    OR h.first_currency <> w.currency
    OR h.last_currency <> w.currency
ORDER BY wallet_id
LIMIT 1
