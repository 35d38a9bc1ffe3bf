-- One row per wallet of a customer: what is in it, what its tier allows, how much of that is used, and the share in
-- per cent, at most 100. Counters of an earlier Johannesburg day or month read as 0; no share: nothing is allowed.
-- Parameters: user (id), today (the Johannesburg day).
WITH business_day AS (
    SELECT %(today)s::date AS today
),

used AS (
    SELECT
        w.id,
        w.number,
        w.currency,
        w.status,
        w.frozen_by,
        w.balance,
        w.held,
        w.last_entry_at,
        w.created_at,
        l.may_send,
        l.may_cash_out,
        l.per_transfer_amount,
        l.per_day_amount,
        l.per_month_amount,
        l.highest_balance,
        CASE WHEN w.spent_on = d.today THEN w.spent_day_amount ELSE 0.00 END AS used_today,
        CASE
            WHEN date_trunc('month', w.spent_on) = date_trunc('month', d.today) THEN w.spent_month_amount
            ELSE 0.00
        END AS used_this_month
    FROM users AS u
    INNER JOIN wallets AS w ON w.user_id = u.id AND w.kind = 'customer'
    LEFT JOIN tier_limits AS l ON l.tier = u.kyc_tier AND l.currency = w.currency
    CROSS JOIN business_day AS d
    WHERE u.id = %(user)s
)

SELECT
    u.id,
    u.number,
    u.currency,
    u.status,
    u.frozen_by,
    u.balance,
    u.held,
    u.balance - u.held AS available,
    u.last_entry_at,
    u.created_at,
    coalesce(u.may_send, FALSE) AS may_send,
    coalesce(u.may_cash_out, FALSE) AS may_cash_out,
    u.per_transfer_amount,
    u.per_day_amount,
    u.per_month_amount,
    u.highest_balance,
    u.used_today,
    u.used_this_month,
    floor(least(100 * u.used_today / nullif(u.per_day_amount, 0), 100))::integer AS used_today_percent,
    floor(least(100 * u.used_this_month / nullif(u.per_month_amount, 0), 100))::integer AS used_this_month_percent,
    floor(least(greatest(100 * u.balance / nullif(u.highest_balance, 0), 0), 100))::integer AS full_percent
FROM used AS u
ORDER BY u.id
