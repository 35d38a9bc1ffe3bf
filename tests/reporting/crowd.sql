-- A hundred thousand customers with a wallet, two entries and a voucher each, what staff have to do with them, and one
-- customer (the first) with ten thousand entries and vouchers. Run by a superuser for whom no trigger fires and no
-- foreign key is checked: it has the shape of a bank, for plans, and its books do not add up.
INSERT INTO users (
    password, is_superuser, public_id, email, email_verified_at, phone, phone_verified_at, first_name, last_name,
    kyc_status, id_verified, kyc_tier
)
SELECT
    '!', false, gen_random_uuid(), 'crowd' || n || '@example.com', now(), '+2760' || lpad(n::text, 7, '0'), now(), 'Crowd',
    'Name' || n, 'verified', true, 2
FROM generate_series(1, 100000) AS n;

INSERT INTO wallets (
    number, user_id, kind, stripe, currency, status, balance, total_received, total_sent, received_count, sent_count,
    sequence, last_entry_at
)
SELECT
    (3000000000 + u.id * 10)::text, u.id, 'customer', 0, 'ZAR', 'active', 10, 10, 0, 2, 0,
    CASE WHEN u.email = 'crowd1@example.com' THEN 10002 ELSE 2 END, now()
FROM users AS u
WHERE u.email LIKE 'crowd%';

INSERT INTO transfers (id, kind, from_wallet_id, to_wallet_id, amount, currency, reference, group_id, created_at)
SELECT
    t.id, 'demo_money', (SELECT h.id FROM wallets AS h WHERE h.kind = 'adjustments' LIMIT 1), t.wallet_id, 5, 'ZAR', '', t.id,
    t.created_at
FROM (
    SELECT
        gen_random_uuid() AS id,
        w.id AS wallet_id,
        now() - interval '1 day' * (1 + (w.id * 7 + n) % 900) AS created_at
    FROM wallets AS w
    CROSS JOIN generate_series(1, 2) AS n
    WHERE w.kind = 'customer'
    UNION ALL
    SELECT
        gen_random_uuid() AS id,
        w.id AS wallet_id,
        now() - interval '1 hour' * n AS created_at
    FROM wallets AS w
    INNER JOIN users AS u ON u.id = w.user_id
    CROSS JOIN generate_series(1, 10000) AS n
    WHERE u.email = 'crowd1@example.com'
) AS t;

INSERT INTO transactions (
    transfer_id, wallet_id, user_id, type, amount, currency, sequence, balance_after, total_received_after,
    total_sent_after, created_at
)
SELECT
    f.id, f.to_wallet_id, w.user_id, 'received', 5, 'ZAR',
    row_number() OVER (PARTITION BY f.to_wallet_id ORDER BY f.created_at, f.id), 10, 10, 0, f.created_at
FROM transfers AS f
INNER JOIN wallets AS w ON w.id = f.to_wallet_id
WHERE f.kind = 'demo_money';

-- Each has one; the first has ten thousand. Half are over, and a thousand of those still wait for the sweep.
INSERT INTO vouchers (
    public_id, user_id, voucher_type, status, code_encrypted, code_index, original_amount, balance, currency, expires_at,
    created_at
)
SELECT
    gen_random_uuid(), u.id, 'standard', CASE WHEN n.is_live THEN 'active' ELSE 'expired' END, 'x',
    sha256((u.id || '-' || n.place)::bytea), 50, CASE WHEN n.is_live THEN 50 ELSE 0 END, 'ZAR',
    CASE WHEN n.is_due THEN now() - interval '1 day' ELSE now() + interval '1 day' * (n.place % 900 + 1) END,
    now() - interval '1 minute' * n.place
FROM users AS u
CROSS JOIN LATERAL (
    SELECT
        p AS place,
        (u.id + p) % 2 = 0 AS is_live,
        (u.id + p) % 100 = 0 AS is_due
    FROM generate_series(1, CASE WHEN u.email = 'crowd1@example.com' THEN 10000 ELSE 1 END) AS p
) AS n
WHERE u.email LIKE 'crowd%';

INSERT INTO vouchers (
    public_id, user_id, voucher_type, status, easypay_number, original_amount, balance, currency, expires_at, created_at
)
SELECT
    gen_random_uuid(), u.id, 'easypay_topup', 'pending_payment', '9' || lpad(u.id::text, 13, '0'), 60, 0, 'ZAR',
    now() + interval '30 days', now()
FROM users AS u
WHERE u.email LIKE 'crowd%' AND u.id % 5 = 0;

INSERT INTO voucher_totals (user_id, currency, total_count, active_count, total_value, active_value)
SELECT v.user_id, 'ZAR', count(*), count(*) FILTER (WHERE v.status = 'active'), sum(v.original_amount), sum(v.balance)
FROM vouchers AS v
GROUP BY v.user_id;

-- Half are still held, and few of them are over.
INSERT INTO holds (public_id, wallet_id, amount, currency, status, purpose, expires_at, created_at, resolved_at)
SELECT
    gen_random_uuid(), w.id, 5, 'ZAR', CASE WHEN w.id % 2 = 0 THEN 'held' ELSE 'voided' END, 'test',
    now() + interval '1 hour' * ((w.id / 2) % 1000 - 5), now(), CASE WHEN w.id % 2 = 0 THEN NULL ELSE now() END
FROM wallets AS w
WHERE w.kind = 'customer';

INSERT INTO idempotency_keys (actor, key, request_hash, produced_kind, produced_id)
SELECT 'user:' || u.public_id, 'key-' || u.id, sha256(u.id::text::bytea), 'transfer', gen_random_uuid()
FROM users AS u;

INSERT INTO audit_events (verb, subject_type, subject_id, facts, request_id, at)
SELECT 'user.registered', 'user', u.public_id::text, '{}', md5(u.id::text), now() - interval '1 minute' * u.id
FROM users AS u;

INSERT INTO kyc_submissions (
    public_id, user_id, id_type, id_number_encrypted, id_number_index, status, reason, granted_tier, created_at,
    decided_at, reviewer_id, waits_for
)
SELECT
    gen_random_uuid(), u.id, 'sa_id', 'x', sha256(u.id::text::bytea), CASE WHEN n.waits THEN 'pending' ELSE 'rejected' END, 'Dark',
    NULL, now() - interval '1 minute' * u.id, CASE WHEN n.waits THEN NULL ELSE now() END, CASE WHEN n.waits THEN NULL ELSE u.id + 1 END,
    CASE WHEN n.waits THEN 'officer' END
FROM users AS u
CROSS JOIN LATERAL (SELECT u.id % 50 = 0 AS waits) AS n
WHERE u.email LIKE 'crowd%';

INSERT INTO suspense_items (
    public_id, user_id, direction, reason, amount, currency, created_at, resolved_at, resolution, transfer_id,
    resolution_transfer_id, resolved_by_id, approved_by_id
)
SELECT
    gen_random_uuid(), u.id, 'owed_to_customer', 'late', 60, 'ZAR', now() - interval '1 minute' * u.id,
    CASE WHEN u.id % 100 <> 0 THEN now() END, CASE WHEN u.id % 100 <> 0 THEN 'returned' ELSE '' END, gen_random_uuid(),
    CASE WHEN u.id % 100 <> 0 THEN gen_random_uuid() END, CASE WHEN u.id % 100 <> 0 THEN u.id END,
    CASE WHEN u.id % 100 <> 0 THEN u.id + 1 END
FROM users AS u
WHERE u.email LIKE 'crowd%' AND u.id % 2 = 0;
