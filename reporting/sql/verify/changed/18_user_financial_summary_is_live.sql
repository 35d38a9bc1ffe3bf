-- The view user_financial_summary equals a recomputation from users, wallets, entries, holds and vouchers, both ways.
-- Of wallets that moved, and of those whose customers' vouchers changed.
WITH fresh AS MATERIALIZED (
    SELECT f.id
    FROM transfers AS f
    WHERE f.created_at >= %(since)s
),

touched AS MATERIALIZED (
    SELECT DISTINCT e.wallet_id AS id
    FROM fresh AS t
    INNER JOIN transactions AS e ON e.transfer_id = t.id
),

changed AS MATERIALIZED (
    SELECT h.pgh_obj_id AS id
    FROM vouchers_history AS h
    WHERE h.transaction_id >= %(horizon)s
    UNION
    SELECT n.id
    FROM vouchers AS n
    WHERE n.created_at >= %(since)s
),

concerned AS MATERIALIZED (
    SELECT h.id
    FROM touched AS h
    UNION
    SELECT w.id
    FROM changed AS c
    INNER JOIN vouchers AS v ON v.id = c.id
    INNER JOIN wallets AS w ON w.user_id = v.user_id AND w.currency = v.currency
),

broken AS MATERIALIZED (
    SELECT
        d.wallet_number,
        d.wallet_id,
        d.user_id,
        CASE WHEN sum(d.side) > 0 THEN 'only in the view' ELSE 'only in the recomputation' END AS broken,
        d.kyc_status,
        d.id_verified,
        d.wallet_status,
        d.wallet_balance,
        d.available_balance,
        d.wallet_currency,
        d.total_vouchers,
        d.active_vouchers,
        d.pending_vouchers,
        d.active_voucher_value,
        d.pending_voucher_value,
        d.total_transactions,
        d.total_received,
        d.total_sent,
        d.last_transaction_date
    FROM (
        SELECT
            1 AS side,
            s.wallet_number,
            s.wallet_id,
            s.user_id,
            s.kyc_status,
            s.id_verified,
            s.wallet_status,
            s.wallet_balance,
            s.available_balance,
            s.wallet_currency,
            s.total_vouchers,
            s.active_vouchers,
            s.pending_vouchers,
            s.active_voucher_value,
            s.pending_voucher_value,
            s.total_transactions,
            s.total_received,
            s.total_sent,
            s.last_transaction_date
        FROM concerned AS q
        INNER JOIN user_financial_summary AS s ON s.wallet_id = q.id
        UNION ALL
        SELECT
            -1 AS side,
            w.number AS wallet_number,
            w.id AS wallet_id,
            u.id AS user_id,
            u.kyc_status,
            u.id_verified,
            w.status AS wallet_status,
            coalesce(e.balance_after, 0) AS wallet_balance,
            coalesce(e.balance_after, 0) - h.amount AS available_balance,
            w.currency AS wallet_currency,
            v.total_vouchers,
            v.active_vouchers,
            v.pending_vouchers,
            v.active_voucher_value,
            v.pending_voucher_value,
            coalesce(e.sequence, 0) AS total_transactions,
            coalesce(e.total_received_after, 0) AS total_received,
            coalesce(e.total_sent_after, 0) AS total_sent,
            e.created_at AS last_transaction_date
        FROM concerned AS k
        INNER JOIN wallets AS w ON w.id = k.id AND w.kind = 'customer'
        INNER JOIN users AS u ON u.id = w.user_id
        LEFT JOIN transactions AS e ON e.wallet_id = w.id AND e.sequence = w.sequence
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(l.amount), 0) AS amount
            FROM holds AS l
            WHERE l.wallet_id = w.id AND l.status = 'held'
        ) AS h ON TRUE
        LEFT JOIN LATERAL (
            SELECT
                count(*) AS total_vouchers,
                count(*) FILTER (WHERE o.status = 'active') AS active_vouchers,
                count(*) FILTER (WHERE o.status = 'pending_payment') AS pending_vouchers,
                coalesce(sum(o.balance) FILTER (WHERE o.status = 'active'), 0) AS active_voucher_value,
                coalesce(sum(o.original_amount) FILTER (WHERE o.status = 'pending_payment'), 0) AS pending_voucher_value
            FROM vouchers AS o
            WHERE
                o.user_id = w.user_id
                AND o.currency = w.currency
                AND o.status IN ('active', 'pending_payment', 'redeemed')
        ) AS v ON TRUE
    ) AS d
    GROUP BY
        d.wallet_number,
        d.wallet_id,
        d.user_id,
        d.kyc_status,
        d.id_verified,
        d.wallet_status,
        d.wallet_balance,
        d.available_balance,
        d.wallet_currency,
        d.total_vouchers,
        d.active_vouchers,
        d.pending_vouchers,
        d.active_voucher_value,
        d.pending_voucher_value,
        d.total_transactions,
        d.total_received,
        d.total_sent,
        d.last_transaction_date
    HAVING sum(d.side) <> 0
)

SELECT
    b.wallet_number,
    b.wallet_id,
    b.user_id,
    b.broken,
    b.kyc_status,
    b.id_verified,
    b.wallet_status,
    b.wallet_balance,
    b.available_balance,
    b.wallet_currency,
    b.total_vouchers,
    b.active_vouchers,
    b.pending_vouchers,
    b.active_voucher_value,
    b.pending_voucher_value,
    b.total_transactions,
    b.total_received,
    b.total_sent,
    b.last_transaction_date
FROM broken AS b
ORDER BY b.wallet_id
LIMIT 1
