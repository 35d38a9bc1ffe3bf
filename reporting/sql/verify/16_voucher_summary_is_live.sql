-- The view voucher_summary equals a recomputation from vouchers, row by row, both ways.
SELECT
    d.user_id,
    d.currency,
    CASE WHEN sum(d.side) > 0 THEN 'only in the view' ELSE 'only in the recomputation' END AS broken,
    d.total_vouchers,
    d.active_count,
    d.pending_count,
    d.active_balance,
    d.pending_balance,
    d.total_value
FROM (
    SELECT
        1 AS side,
        s.user_id,
        s.currency,
        s.total_vouchers,
        s.active_count,
        s.pending_count,
        s.active_balance,
        s.pending_balance,
        s.total_value
    FROM voucher_summary AS s
    WHERE s.total_vouchers > 0
    UNION ALL
    SELECT
        -1 AS side,
        v.user_id,
        v.currency,
        count(*) AS total_vouchers,
        count(*) FILTER (WHERE v.status = 'active') AS active_count,
        count(*) FILTER (WHERE v.status = 'pending_payment') AS pending_count,
        coalesce(sum(v.balance) FILTER (WHERE v.status = 'active'), 0) AS active_balance,
        coalesce(sum(v.original_amount) FILTER (WHERE v.status = 'pending_payment'), 0) AS pending_balance,
        sum(v.original_amount) AS total_value
    FROM vouchers AS v
    WHERE v.status IN ('active', 'pending_payment', 'redeemed')
    GROUP BY v.user_id, v.currency
) AS d
GROUP BY
    d.user_id,
    d.currency,
    d.total_vouchers,
    d.active_count,
    d.pending_count,
    d.active_balance,
    d.pending_balance,
    d.total_value
HAVING sum(d.side) <> 0
ORDER BY d.user_id, d.currency
LIMIT 1
