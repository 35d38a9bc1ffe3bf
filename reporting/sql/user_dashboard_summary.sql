-- One row per wallet of an active customer, as of the last refresh: for the back-office's lists, segments and exports.
SELECT
    w.id AS wallet_id,
    w.user_id,
    u.first_name,
    u.last_name,
    u.kyc_status,
    u.id_verified,
    w.balance AS wallet_balance,
    w.currency AS wallet_currency,
    coalesce(v.total_count, 0) AS total_vouchers,
    coalesce(v.active_count, 0) AS active_vouchers,
    coalesce(v.active_value, 0)::numeric(19, 2) AS active_voucher_value,
    coalesce(v.pending_count, 0) AS pending_vouchers,
    coalesce(v.pending_value, 0)::numeric(19, 2) AS pending_voucher_value,
    w.received_count + w.sent_count AS total_transactions,
    w.total_received,
    w.total_sent,
    w.last_entry_at AS last_transaction_date
FROM wallets AS w
INNER JOIN users AS u ON u.id = w.user_id
LEFT JOIN voucher_totals AS v ON v.user_id = w.user_id AND v.currency = w.currency
WHERE w.kind = 'customer' AND u.status = 'active'
