-- One row: how many rows were ever written to the tables under user_dashboard_summary, by PostgreSQL's own count.
SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint AS changes
FROM pg_stat_user_tables
WHERE relid IN ('users'::regclass, 'wallets'::regclass, 'voucher_totals'::regclass);
