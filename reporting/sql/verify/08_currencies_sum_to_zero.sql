-- All wallets of a currency together sum to zero: no cent was made or lost.
SELECT
    w.currency,
    sum(w.balance) AS balance,
    sum(w.total_received) - sum(w.total_sent) AS in_minus_out
FROM wallets AS w
GROUP BY w.currency
HAVING sum(w.balance) <> 0 OR sum(w.total_received) <> sum(w.total_sent)
ORDER BY w.currency
LIMIT 1
