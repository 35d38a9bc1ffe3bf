-- One row per user and currency that ever had a voucher. Cancelled and expired vouchers are left out.
-- active: sum of balances; pending: sum of original amounts; total: original amounts of active, pending and redeemed.
SELECT
    t.user_id,
    t.currency,
    t.total_count AS total_vouchers,
    t.active_count,
    t.pending_count,
    t.active_value AS active_balance,
    t.pending_value AS pending_balance,
    t.total_value
FROM voucher_totals AS t
