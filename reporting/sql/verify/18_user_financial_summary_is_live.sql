-- The view user_financial_summary equals a recomputation from users, wallets, entries, holds and vouchers, both ways.
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
    FROM user_financial_summary AS s
    UNION ALL
    SELECT
        -1 AS side,
        w.number AS wallet_number,
        w.id AS wallet_id,
        u.id AS user_id,
        u.kyc_status,
        u.id_verified,
        w.status AS wallet_status,
        coalesce(e.total_received, 0) - coalesce(e.total_sent, 0) AS wallet_balance,
        coalesce(e.total_received, 0) - coalesce(e.total_sent, 0) - coalesce(h.amount, 0) AS available_balance,
        w.currency AS wallet_currency,
        coalesce(v.total_vouchers, 0) AS total_vouchers,
        coalesce(v.active_vouchers, 0) AS active_vouchers,
        coalesce(v.pending_vouchers, 0) AS pending_vouchers,
        coalesce(v.active_voucher_value, 0) AS active_voucher_value,
        coalesce(v.pending_voucher_value, 0) AS pending_voucher_value,
        coalesce(e.total_transactions, 0) AS total_transactions,
        coalesce(e.total_received, 0) AS total_received,
        coalesce(e.total_sent, 0) AS total_sent,
        e.last_transaction_date
    FROM users AS u
    INNER JOIN wallets AS w ON w.user_id = u.id AND w.kind = 'customer'
    LEFT JOIN (
        SELECT
            t.wallet_id,
            count(*) AS total_transactions,
            coalesce(sum(t.amount) FILTER (WHERE t.type = 'received'), 0) AS total_received,
            coalesce(sum(t.amount) FILTER (WHERE t.type = 'sent'), 0) AS total_sent,
            max(t.created_at) AS last_transaction_date
        FROM transactions AS t
        GROUP BY t.wallet_id
    ) AS e ON e.wallet_id = w.id
    LEFT JOIN (
        SELECT
            l.wallet_id,
            sum(l.amount) AS amount
        FROM holds AS l
        WHERE l.status = 'held'
        GROUP BY l.wallet_id
    ) AS h ON h.wallet_id = w.id
    LEFT JOIN (
        SELECT
            c.user_id,
            c.currency,
            count(*) AS total_vouchers,
            count(*) FILTER (WHERE c.status = 'active') AS active_vouchers,
            count(*) FILTER (WHERE c.status = 'pending_payment') AS pending_vouchers,
            sum(c.balance) FILTER (WHERE c.status = 'active') AS active_voucher_value,
            sum(c.original_amount) FILTER (WHERE c.status = 'pending_payment') AS pending_voucher_value
        FROM vouchers AS c
        WHERE c.status IN ('active', 'pending_payment', 'redeemed')
        GROUP BY c.user_id, c.currency
    ) AS v ON v.user_id = w.user_id AND v.currency = w.currency
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
ORDER BY d.wallet_id
LIMIT 1
