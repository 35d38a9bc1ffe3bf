-- Each customer's voucher totals equal a recount of the vouchers, per currency.
WITH recount AS (
    SELECT
        v.user_id,
        v.currency,
        count(*) FILTER (WHERE v.status IN ('active', 'pending_payment', 'redeemed')) AS total_count,
        count(*) FILTER (WHERE v.status = 'active') AS active_count,
        count(*) FILTER (WHERE v.status = 'pending_payment') AS pending_count,
        sum(v.original_amount) FILTER (WHERE v.status IN ('active', 'pending_payment', 'redeemed')) AS total_value,
        sum(v.balance) FILTER (WHERE v.status = 'active') AS active_value,
        sum(v.original_amount) FILTER (WHERE v.status = 'pending_payment') AS pending_value
    FROM vouchers AS v
    GROUP BY v.user_id, v.currency
)

SELECT
    coalesce(t.user_id, r.user_id) AS user_id,
    coalesce(t.currency, r.currency) AS currency,
    t.total_count,
    r.total_count AS recounted_total_count,
    t.total_value,
    r.total_value AS recounted_total_value,
    t.active_count,
    r.active_count AS recounted_active_count,
    t.active_value,
    r.active_value AS recounted_active_value,
    t.pending_count,
    r.pending_count AS recounted_pending_count,
    t.pending_value,
    r.pending_value AS recounted_pending_value
FROM voucher_totals AS t
FULL JOIN recount AS r ON r.user_id = t.user_id AND r.currency = t.currency
WHERE
    t.user_id IS NULL
    OR t.total_count <> coalesce(r.total_count, 0)
    OR t.active_count <> coalesce(r.active_count, 0)
    OR t.pending_count <> coalesce(r.pending_count, 0)
    OR t.total_value <> coalesce(r.total_value, 0)
    OR t.active_value <> coalesce(r.active_value, 0)
    OR t.pending_value <> coalesce(r.pending_value, 0)
ORDER BY user_id, currency
LIMIT 1
