-- One row: when each thing that must keep going was last seen to, and what waits for longer than a day, a thousand at
-- most. Each is a probe of an index or a bounded walk along one.
WITH refreshed AS (
    SELECT
        f.started_at,
        f.changes_seen
    FROM dashboard_refreshes AS f
    ORDER BY f.started_at DESC
    LIMIT 1
),

changes AS (
    SELECT coalesce(sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del), 0) AS seen
    FROM pg_stat_user_tables AS s
    WHERE s.relid IN ('users'::regclass, 'wallets'::regclass, 'voucher_totals'::regclass)
),

verified AS (
    SELECT
        l.finished_at,
        l.broken
    FROM ledger_verifications AS l
    ORDER BY l.finished_at DESC
    LIMIT 1
),

taken AS (
    SELECT max(d.taken_at) AS taken_at
    FROM business_days AS d
    WHERE d.day >= %(since)s
),

suspense AS (
    SELECT i.id
    FROM suspense_items AS i
    WHERE i.resolved_at IS NULL AND i.created_at < %(at)s - interval '1 day'
    ORDER BY i.created_at
    LIMIT 1000
),

cases AS (
    SELECT k.id
    FROM kyc_submissions AS k
    WHERE
        k.status = 'pending'
        AND k.waits_for IN ('officer', 'second')
        AND k.created_at < %(at)s - interval '1 day'
    ORDER BY k.waits_for, k.created_at
    LIMIT 1000
)

SELECT
    t.taken_at,
    r.started_at AS refreshed_at,
    r.changes_seen = c.seen AS nothing_changed,
    v.finished_at AS verified_at,
    v.broken,
    (SELECT count(*) FROM suspense) AS old_suspense,
    (SELECT count(*) FROM cases) AS old_kyc
FROM taken AS t
CROSS JOIN changes AS c
LEFT JOIN refreshed AS r ON TRUE
LEFT JOIN verified AS v ON TRUE
