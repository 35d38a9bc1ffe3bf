-- One row, one JSON: what is left in a customer's account, for it closes only when nothing is.
-- Parameters: user (public id).
WITH person AS (
    SELECT p.id
    FROM users AS p
    WHERE p.public_id = %(user)s
),

remains AS (
    SELECT
        w.id,
        w.number,
        w.currency,
        w.balance,
        w.held
    FROM person AS p
    INNER JOIN wallets AS w ON w.user_id = p.id AND w.kind = 'customer'
    WHERE w.balance <> 0 OR w.held <> 0
),

counts AS (
    SELECT
        (
            SELECT coalesce(sum(s.active_count + s.pending_count), 0)
            FROM voucher_summary AS s
            WHERE s.user_id = p.id
        ) AS vouchers,
        (
            SELECT count(*)
            FROM suspense_items AS i
            WHERE i.user_id = p.id AND i.resolved_at IS NULL
        ) AS suspense,
        (
            SELECT count(*)
            FROM wallets AS w
            INNER JOIN receivables AS d ON d.wallet_id = w.id
            WHERE w.user_id = p.id AND d.collected_amount < d.amount
        ) AS owed,
        (
            SELECT count(*)
            FROM kyc_submissions AS k
            WHERE k.user_id = p.id AND k.status = 'pending'
        ) AS identity
    FROM person AS p
),

open_things AS (
    SELECT
        t.what,
        t.count
    FROM counts AS c
    CROSS JOIN
        unnest(
            ARRAY['vouchers', 'suspense', 'owed', 'identity'],
            ARRAY[c.vouchers, c.suspense, c.owed, c.identity]
        ) AS t (what, count)
    WHERE t.count > 0
)

SELECT
    json_build_object(
        'state', CASE
            WHEN EXISTS (SELECT 1 FROM remains) OR EXISTS (SELECT 1 FROM open_things) THEN 'something_left'
            ELSE 'nothing_left'
        END,
        'wallets', coalesce(
            (
                SELECT
                    json_agg(
                        json_build_object(
                            'number', r.number,
                            'currency', r.currency,
                            'balance', r.balance::text,
                            'held', r.held::text
                        )
                        ORDER BY r.id
                    )
                FROM remains AS r
            ),
            '[]'::json
        ),
        'left', coalesce(
            (
                SELECT json_agg(json_build_object('what', o.what, 'count', o.count) ORDER BY o.what)
                FROM open_things AS o
            ),
            '[]'::json
        )
    )::text AS data
FROM person
