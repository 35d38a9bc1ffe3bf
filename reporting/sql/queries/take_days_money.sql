-- One row per Johannesburg day from first_day to last_day and currency of the house: what went into and out of
-- customers' wallets and between them, and what vouchers were worth as the day ended (two probes of an index a stripe).
INSERT INTO business_day_money (
    day, currency, in_count, in_amount, out_count, out_amount, between_count, between_amount, voucher_float
)
WITH days AS (
    SELECT
        d.day::date AS day,
        (d.day + interval '1 day') AT TIME ZONE 'Africa/Johannesburg' AS ends_at
    FROM generate_series(%(first_day)s::timestamp, %(last_day)s::timestamp, interval '1 day') AS d (day)
),

house AS (
    SELECT w.id
    FROM wallets AS w
    WHERE w.kind <> 'customer'
),

moved AS (
    SELECT
        (t.created_at AT TIME ZONE 'Africa/Johannesburg')::date AS day,
        t.currency,
        t.amount,
        t.from_wallet_id IN (SELECT h.id FROM house AS h) AS is_from_house,
        t.to_wallet_id IN (SELECT h.id FROM house AS h) AS is_to_house
    FROM transfers AS t
    WHERE
        t.created_at >= %(first_day)s::timestamp AT TIME ZONE 'Africa/Johannesburg'
        AND t.created_at < (%(last_day)s::timestamp + interval '1 day') AT TIME ZONE 'Africa/Johannesburg'
),

sums AS (
    SELECT
        m.day,
        m.currency,
        count(*) FILTER (WHERE m.is_from_house AND NOT m.is_to_house) AS in_count,
        sum(m.amount) FILTER (WHERE m.is_from_house AND NOT m.is_to_house) AS in_amount,
        count(*) FILTER (WHERE NOT m.is_from_house AND m.is_to_house) AS out_count,
        sum(m.amount) FILTER (WHERE NOT m.is_from_house AND m.is_to_house) AS out_amount,
        count(*) FILTER (WHERE NOT m.is_from_house AND NOT m.is_to_house) AS between_count,
        sum(m.amount) FILTER (WHERE NOT m.is_from_house AND NOT m.is_to_house) AS between_amount
    FROM moved AS m
    GROUP BY m.day, m.currency
),

floats AS (
    SELECT
        d.day,
        w.currency,
        sum(coalesce(e.balance_after, 0)) AS amount
    FROM days AS d
    CROSS JOIN wallets AS w
    LEFT JOIN LATERAL (
        SELECT t.balance_after
        FROM transactions AS t
        WHERE t.wallet_id = w.id AND t.created_at < d.ends_at
        ORDER BY t.created_at DESC, t.sequence DESC
        LIMIT 1
    ) AS e ON TRUE
    WHERE w.kind = 'voucher_liability'
    GROUP BY d.day, w.currency
)

SELECT
    f.day,
    f.currency,
    coalesce(s.in_count, 0) AS in_count,
    coalesce(s.in_amount, 0) AS in_amount,
    coalesce(s.out_count, 0) AS out_count,
    coalesce(s.out_amount, 0) AS out_amount,
    coalesce(s.between_count, 0) AS between_count,
    coalesce(s.between_amount, 0) AS between_amount,
    f.amount AS voucher_float
FROM floats AS f
LEFT JOIN sums AS s ON s.day = f.day AND s.currency = f.currency
ON CONFLICT (day, currency) DO UPDATE SET
    in_count = excluded.in_count,
    in_amount = excluded.in_amount,
    out_count = excluded.out_count,
    out_amount = excluded.out_amount,
    between_count = excluded.between_count,
    between_amount = excluded.between_amount,
    voucher_float = excluded.voucher_float
