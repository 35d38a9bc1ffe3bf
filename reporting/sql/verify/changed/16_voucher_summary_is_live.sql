-- The view voucher_summary equals a recomputation from vouchers, row by row, both ways.
WITH changed AS MATERIALIZED (
    SELECT h.pgh_obj_id AS id
    FROM vouchers_history AS h
    WHERE h.transaction_id >= %(horizon)s
    UNION
    SELECT n.id
    FROM vouchers AS n
    WHERE n.created_at >= %(since)s
),

holders AS MATERIALIZED (
    SELECT DISTINCT
        o.user_id,
        o.currency
    FROM changed AS c
    INNER JOIN vouchers AS o ON o.id = c.id
),

broken AS MATERIALIZED (
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
        FROM holders AS d
        INNER JOIN voucher_summary AS s ON s.user_id = d.user_id AND s.currency = d.currency
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
        FROM holders AS k
        INNER JOIN vouchers AS v ON v.user_id = k.user_id AND v.currency = k.currency
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
)

SELECT
    b.user_id,
    b.currency,
    b.broken,
    b.total_vouchers,
    b.active_count,
    b.pending_count,
    b.active_balance,
    b.pending_balance,
    b.total_value
FROM broken AS b
ORDER BY b.user_id, b.currency
LIMIT 1
