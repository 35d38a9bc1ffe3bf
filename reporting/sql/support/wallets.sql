-- One row, one JSON: a customer's wallets, what is in them, and what their limits leave, as of now.
-- Parameters: user (public id), at.
WITH business_day AS (
    SELECT (%(at)s::timestamptz AT TIME ZONE 'Africa/Johannesburg')::date AS today
),

own AS (
    SELECT
        w.id,
        w.number,
        w.currency,
        w.status,
        w.balance,
        w.held,
        u.kyc_tier,
        l.may_send,
        coalesce(l.may_cash_out, FALSE) AS may_cash_out,
        l.per_transfer_amount,
        l.per_day_amount,
        l.per_month_amount,
        l.highest_balance,
        l.per_day_amount
        - least(CASE WHEN w.spent_on = d.today THEN w.spent_day_amount ELSE 0 END, l.per_day_amount) AS left_today,
        l.per_month_amount
        - least(
            CASE
                WHEN date_trunc('month', w.spent_on) = date_trunc('month', d.today) THEN w.spent_month_amount
                ELSE 0
            END,
            l.per_month_amount
        ) AS left_this_month
    FROM users AS u
    INNER JOIN wallets AS w ON w.user_id = u.id AND w.kind = 'customer'
    LEFT JOIN tier_limits AS l ON l.tier = u.kyc_tier AND l.currency = w.currency
    CROSS JOIN business_day AS d
    WHERE u.public_id = %(user)s
)

SELECT
    json_build_object(
        'state', CASE
            WHEN count(*) = 0 THEN 'none'
            WHEN bool_or(o.status = 'frozen') THEN 'frozen'
            ELSE 'some'
        END,
        'tier', min(o.kyc_tier),
        'grows', CASE
            WHEN min(o.kyc_tier) < (SELECT max(l.tier) FROM tier_limits AS l) THEN '[{}]'::json
            ELSE '[]'::json
        END,
        'wallets', coalesce(
            json_agg(
                json_build_object(
                    'number', o.number,
                    'currency', o.currency,
                    'status', o.status,
                    'line', CASE WHEN o.status = 'active' AND o.held > 0 THEN 'holding' ELSE o.status END,
                    'allowance', CASE
                        WHEN o.status <> 'active' THEN o.status
                        WHEN o.may_send IS NULL THEN 'no_limits'
                        WHEN o.may_send THEN 'may_send'
                        ELSE 'may_not_send'
                    END,
                    'may_cash_out', o.may_cash_out,
                    'balance', o.balance::text,
                    'available', (o.balance - o.held)::text,
                    'held', o.held::text,
                    'per_transfer', o.per_transfer_amount::text,
                    'per_day', o.per_day_amount::text,
                    'per_month', o.per_month_amount::text,
                    'left_today', o.left_today::text,
                    'left_this_month', o.left_this_month::text,
                    'highest_balance', o.highest_balance::text
                )
                ORDER BY o.id
            ),
            '[]'::json
        )
    )::text AS data
FROM own AS o
