-- Each customer's voucher totals equal a recount of the vouchers, per currency.
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

recount AS (
    SELECT
        v.user_id,
        v.currency,
        count(*) FILTER (WHERE v.status IN ('active', 'pending_payment', 'redeemed')) AS total_count,
        count(*) FILTER (WHERE v.status = 'active') AS active_count,
        count(*) FILTER (WHERE v.status = 'pending_payment') AS pending_count,
        sum(v.original_amount) FILTER (WHERE v.status IN ('active', 'pending_payment', 'redeemed')) AS total_value,
        sum(v.balance) FILTER (WHERE v.status = 'active') AS active_value,
        sum(v.original_amount) FILTER (WHERE v.status = 'pending_payment') AS pending_value
    FROM holders AS d
    INNER JOIN vouchers AS v ON v.user_id = d.user_id AND v.currency = d.currency
    GROUP BY v.user_id, v.currency
),

broken AS MATERIALIZED (
    SELECT
        r.user_id,
        r.currency,
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
    FROM recount AS r
    LEFT JOIN voucher_totals AS t ON t.user_id = r.user_id AND t.currency = r.currency
    WHERE
        t.user_id IS NULL
        OR t.total_count <> r.total_count
        OR t.active_count <> r.active_count
        OR t.pending_count <> r.pending_count
        OR t.total_value <> coalesce(r.total_value, 0)
        OR t.active_value <> coalesce(r.active_value, 0)
        OR t.pending_value <> coalesce(r.pending_value, 0)
)

SELECT
    b.user_id,
    b.currency,
    b.total_count,
    b.recounted_total_count,
    b.total_value,
    b.recounted_total_value,
    b.active_count,
    b.recounted_active_count,
    b.active_value,
    b.recounted_active_value,
    b.pending_count,
    b.recounted_pending_count,
    b.pending_value,
    b.recounted_pending_value
FROM broken AS b
ORDER BY b.user_id, b.currency
LIMIT 1
