-- One row per wallet of a customer and Johannesburg day: what was in it when the day ended, null before there was one.
-- Each is the balance after the last entry before that moment, found by one index probe: nothing is summed.
-- Parameters: user (id), first_on (the first day), days (how many, the last included).
WITH ends AS (
    SELECT
        %(first_on)s::date + n AS on_day,
        (%(first_on)s::date + n + 1)::timestamp AT TIME ZONE 'Africa/Johannesburg' AS ends_at
    FROM generate_series(0, %(days)s - 1) AS n
)

SELECT
    w.number,
    w.currency,
    d.on_day,
    coalesce(e.balance_after, CASE WHEN w.created_at < d.ends_at THEN 0.00 END) AS balance
FROM wallets AS w
CROSS JOIN ends AS d
LEFT JOIN LATERAL (
    SELECT t.balance_after
    FROM transactions AS t
    WHERE t.wallet_id = w.id AND t.created_at < d.ends_at
    ORDER BY t.created_at DESC, t.sequence DESC
    LIMIT 1
) AS e ON TRUE
WHERE w.user_id = %(user)s AND w.kind = 'customer'
ORDER BY w.id, d.on_day
