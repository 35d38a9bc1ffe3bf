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
        ) AS waiting
    FROM person AS p
)

SELECT
    json_build_object(
        'state', CASE
            WHEN EXISTS (SELECT 1 FROM remains) OR c.vouchers > 0 OR c.waiting > 0 THEN 'something_left'
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
        'live_vouchers', c.vouchers,
        'waiting', c.waiting
    )::text AS data
FROM counts AS c
