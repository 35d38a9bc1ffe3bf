-- One row per wallet of a customer, with what its tier still allows. Counters of an earlier Johannesburg day or month
-- read as 0. Parameters: user (public id), number (null: every wallet).
WITH business_day AS (
    SELECT (now() AT TIME ZONE 'Africa/Johannesburg')::date AS today
)

SELECT
    w.number,
    w.currency,
    w.status,
    w.balance::text AS balance,
    (w.balance - w.held)::text AS available,
    w.held::text AS held,
    u.kyc_tier AS tier,
    coalesce(l.may_send, FALSE) AS may_send,
    coalesce(l.may_cash_out, FALSE) AS may_cash_out,
    l.per_transfer_amount::text AS per_transfer,
    l.per_day_amount::text AS per_day,
    l.per_month_amount::text AS per_month,
    (
        l.per_day_amount
        - least(CASE WHEN w.spent_on = d.today THEN w.spent_day_amount ELSE 0 END, l.per_day_amount)
    )::text AS left_today,
    (
        l.per_month_amount
        - least(
            CASE
                WHEN date_trunc('month', w.spent_on) = date_trunc('month', d.today) THEN w.spent_month_amount
                ELSE 0
            END,
            l.per_month_amount
        )
    )::text AS left_this_month,
    l.highest_balance::text AS highest_balance
FROM users AS u
INNER JOIN wallets AS w ON w.user_id = u.id AND w.kind = 'customer'
LEFT JOIN tier_limits AS l ON l.tier = u.kyc_tier AND l.currency = w.currency
CROSS JOIN business_day AS d
WHERE u.public_id = %(user)s AND (%(number)s::text IS NULL OR w.number = %(number)s)
ORDER BY w.id
