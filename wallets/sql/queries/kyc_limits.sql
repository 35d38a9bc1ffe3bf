-- One row per currency in which the tier of a customer has limits: what it allows, and what is used of it and left.
-- Nothing is used without a wallet; counters of an earlier Johannesburg day or month read as 0.
-- Parameters: user (public id).
WITH business_day AS (
    SELECT (now() AT TIME ZONE 'Africa/Johannesburg')::date AS today
),

used AS (
    SELECT
        l.currency,
        l.may_send,
        l.may_cash_out,
        l.per_transfer_amount,
        l.per_day_amount,
        l.per_month_amount,
        l.highest_balance,
        CASE WHEN w.spent_on = d.today THEN w.spent_day_amount ELSE 0.00 END AS today,
        CASE
            WHEN date_trunc('month', w.spent_on) = date_trunc('month', d.today) THEN w.spent_month_amount
            ELSE 0.00
        END AS this_month
    FROM users AS u
    INNER JOIN tier_limits AS l ON l.tier = u.kyc_tier
    LEFT JOIN wallets AS w ON w.user_id = u.id AND w.currency = l.currency AND w.kind = 'customer'
    CROSS JOIN business_day AS d
    WHERE u.public_id = %(user)s
)

SELECT
    u.currency,
    u.may_send,
    u.may_cash_out,
    u.per_transfer_amount::text AS per_transfer,
    u.per_day_amount::text AS per_day,
    u.per_month_amount::text AS per_month,
    u.today::text AS used_today,
    u.this_month::text AS used_this_month,
    (u.per_day_amount - least(u.today, u.per_day_amount))::text AS left_today,
    (u.per_month_amount - least(u.this_month, u.per_month_amount))::text AS left_this_month,
    u.highest_balance::text AS highest_balance
FROM used AS u
ORDER BY u.currency
