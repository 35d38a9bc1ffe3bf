-- One row, one JSON: what came back to a customer, among the newest hundred entries received, and what finance has not
-- decided yet of his money. Parameters: user (public id).
WITH person AS (
    SELECT p.id
    FROM users AS p
    WHERE p.public_id = %(user)s
),

back AS (
    SELECT
        e.transfer_id,
        f.kind,
        e.amount,
        e.currency,
        e.created_at
    FROM person AS p
    INNER JOIN LATERAL (
        SELECT
            t.transfer_id,
            t.amount,
            t.currency,
            t.created_at
        FROM transactions AS t
        WHERE t.user_id = p.id AND t.type = 'received'
        ORDER BY t.created_at DESC
        LIMIT 100
    ) AS e ON TRUE
    INNER JOIN transfers AS f ON f.id = e.transfer_id
    WHERE f.kind IN ('voucher_refund', 'reversal', 'release')
    ORDER BY e.created_at DESC
    LIMIT 5
),

waiting AS (
    SELECT
        s.id,
        s.reason,
        s.amount,
        s.currency,
        s.created_at
    FROM person AS p
    INNER JOIN suspense_items AS s ON s.user_id = p.id
    WHERE s.resolved_at IS NULL AND s.direction = 'owed_to_customer'
    ORDER BY s.id DESC
    LIMIT 5
)

SELECT
    json_build_object(
        'state', CASE
            WHEN EXISTS (SELECT 1 FROM waiting) THEN 'waiting'
            WHEN EXISTS (SELECT 1 FROM back) THEN 'some'
            ELSE 'none'
        END,
        'refunds', coalesce(
            (
                SELECT
                    json_agg(
                        json_build_object(
                            'transfer', b.transfer_id,
                            'kind', b.kind,
                            'amount', b.amount::text,
                            'currency', b.currency,
                            'on', to_char(b.created_at AT TIME ZONE 'Africa/Johannesburg', 'YYYY-MM-DD HH24:MI')
                        )
                        ORDER BY b.created_at DESC
                    )
                FROM back AS b
            ),
            '[]'::json
        ),
        'set_aside', coalesce(
            (
                SELECT
                    json_agg(
                        json_build_object(
                            'reason', s.reason,
                            'amount', s.amount::text,
                            'currency', s.currency,
                            'on', to_char(s.created_at AT TIME ZONE 'Africa/Johannesburg', 'YYYY-MM-DD HH24:MI')
                        )
                        ORDER BY s.id DESC
                    )
                FROM waiting AS s
            ),
            '[]'::json
        )
    )::text AS data
FROM person
