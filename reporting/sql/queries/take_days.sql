-- One row per Johannesburg day from first_day to last_day: who moved money, what became of identity checks, what tills
-- sent that went to suspense. Days before open_from are closed. A pass over the transfers of these days alone, which
-- the block ranges of ix_transfers_time lead to; everything else along indexes.
INSERT INTO business_days (
    day, taken_at, is_closed, active_customers, kyc_submitted, kyc_approved, kyc_rejected, kyc_waiting, set_aside
)
WITH days AS (
    SELECT
        d.day::date AS day,
        d.day AT TIME ZONE 'Africa/Johannesburg' AS starts_at,
        (d.day + interval '1 day') AT TIME ZONE 'Africa/Johannesburg' AS ends_at
    FROM generate_series(%(first_day)s::timestamp, %(last_day)s::timestamp, interval '1 day') AS d (day)
),

period AS (
    SELECT
        min(d.starts_at) AS starts_at,
        max(d.ends_at) AS ends_at
    FROM days AS d
),

moved AS (
    SELECT
        (t.created_at AT TIME ZONE 'Africa/Johannesburg')::date AS day,
        t.from_wallet_id,
        t.to_wallet_id
    FROM transfers AS t
    WHERE
        t.created_at >= (SELECT p.starts_at FROM period AS p)
        AND t.created_at < (SELECT p.ends_at FROM period AS p)
),

ends AS (
    SELECT
        m.day,
        m.from_wallet_id AS wallet_id
    FROM moved AS m
    UNION ALL
    SELECT
        m.day,
        m.to_wallet_id AS wallet_id
    FROM moved AS m
),

active AS (
    SELECT
        e.day,
        count(DISTINCT w.user_id) AS customers
    FROM ends AS e
    INNER JOIN wallets AS w ON w.id = e.wallet_id
    WHERE w.user_id IS NOT NULL
    GROUP BY e.day
),

-- All three statuses are named, so that the index on status and time is used.
submitted AS (
    SELECT
        (k.created_at AT TIME ZONE 'Africa/Johannesburg')::date AS day,
        count(*) AS submissions
    FROM kyc_submissions AS k
    WHERE
        k.status IN ('pending', 'approved', 'rejected')
        AND k.created_at >= (SELECT p.starts_at FROM period AS p)
        AND k.created_at < (SELECT p.ends_at FROM period AS p)
    GROUP BY (k.created_at AT TIME ZONE 'Africa/Johannesburg')::date
),

decided AS (
    SELECT
        (k.decided_at AT TIME ZONE 'Africa/Johannesburg')::date AS day,
        count(*) FILTER (WHERE k.status = 'approved') AS approved,
        count(*) FILTER (WHERE k.status = 'rejected') AS rejected
    FROM kyc_submissions AS k
    WHERE
        k.decided_at >= (SELECT p.starts_at FROM period AS p)
        AND k.decided_at < (SELECT p.ends_at FROM period AS p)
    GROUP BY (k.decided_at AT TIME ZONE 'Africa/Johannesburg')::date
),

-- Who waited as the first day began: who still waits, and who was decided since.
before AS (
    SELECT
        (
            SELECT count(*)
            FROM kyc_submissions AS k
            WHERE k.status = 'pending' AND k.created_at < (SELECT p.starts_at FROM period AS p)
        ) + (
            SELECT count(*)
            FROM kyc_submissions AS k
            WHERE
                k.decided_at >= (SELECT p.starts_at FROM period AS p)
                AND k.created_at < (SELECT p.starts_at FROM period AS p)
        ) AS waiting
),

aside AS (
    SELECT
        (s.created_at AT TIME ZONE 'Africa/Johannesburg')::date AS day,
        count(*) AS payments
    FROM suspense_items AS s
    WHERE
        s.till_event_id IS NOT NULL
        AND s.created_at >= (SELECT p.starts_at FROM period AS p)
        AND s.created_at < (SELECT p.ends_at FROM period AS p)
    GROUP BY (s.created_at AT TIME ZONE 'Africa/Johannesburg')::date
)

SELECT
    d.day,
    %(at)s AS taken_at,
    d.day < %(open_from)s AS is_closed,
    coalesce(a.customers, 0) AS active_customers,
    coalesce(s.submissions, 0) AS kyc_submitted,
    coalesce(c.approved, 0) AS kyc_approved,
    coalesce(c.rejected, 0) AS kyc_rejected,
    (SELECT b.waiting FROM before AS b)
    + sum(coalesce(s.submissions, 0) - coalesce(c.approved, 0) - coalesce(c.rejected, 0)) OVER (ORDER BY d.day)
        AS kyc_waiting,
    coalesce(o.payments, 0) AS set_aside
FROM days AS d
LEFT JOIN active AS a ON a.day = d.day
LEFT JOIN submitted AS s ON s.day = d.day
LEFT JOIN decided AS c ON c.day = d.day
LEFT JOIN aside AS o ON o.day = d.day
ON CONFLICT (day) DO UPDATE SET
    taken_at = excluded.taken_at,
    is_closed = excluded.is_closed,
    active_customers = excluded.active_customers,
    kyc_submitted = excluded.kyc_submitted,
    kyc_approved = excluded.kyc_approved,
    kyc_rejected = excluded.kyc_rejected,
    kyc_waiting = excluded.kyc_waiting,
    set_aside = excluded.set_aside
