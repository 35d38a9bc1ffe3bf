-- One row per customer wallet: what a customer sees first. Exact at every commit; its cost for one user does not grow
-- with that user's history, since both sides are running totals.
SELECT
    w.id AS wallet_id,
    w.user_id,
    u.kyc_status,
    u.id_verified,
    w.number AS wallet_number,
    w.status AS wallet_status,
    w.balance AS wallet_balance,
    w.balance - w.held AS available_balance,
    w.currency AS wallet_currency,
    coalesce(v.total_count, 0) AS total_vouchers,
    coalesce(v.active_count, 0) AS active_vouchers,
    coalesce(v.pending_count, 0) AS pending_vouchers,
    coalesce(v.active_value, 0)::numeric(19, 2) AS active_voucher_value,
    coalesce(v.pending_value, 0)::numeric(19, 2) AS pending_voucher_value,
    w.received_count + w.sent_count AS total_transactions,
    w.total_received,
    w.total_sent,
    w.last_entry_at AS last_transaction_date
FROM wallets AS w
INNER JOIN users AS u ON u.id = w.user_id
LEFT JOIN voucher_totals AS v ON v.user_id = w.user_id AND v.currency = w.currency
WHERE w.kind = 'customer'
