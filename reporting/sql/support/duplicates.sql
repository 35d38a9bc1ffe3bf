-- One row, one JSON: payments of a customer that look like one made twice: the same amount from the same wallet to the
-- same wallet within a day, among the newest fifty entries sent; and his wallets. Parameters: user (public id).
WITH person AS (
    SELECT p.id
    FROM users AS p
    WHERE p.public_id = %(user)s
),

sent AS (
    SELECT
        e.transfer_id,
        e.amount,
        e.currency,
        e.created_at,
        f.to_wallet_id,
        lag(e.created_at) OVER same_payment AS earlier_at,
        lag(e.transfer_id) OVER same_payment AS earlier_id
    FROM person AS p
    INNER JOIN LATERAL (
        SELECT
            t.wallet_id,
            t.transfer_id,
            t.amount,
            t.currency,
            t.created_at
        FROM transactions AS t
        WHERE t.user_id = p.id AND t.type = 'sent'
        ORDER BY t.created_at DESC
        LIMIT 50
    ) AS e ON TRUE
    INNER JOIN transfers AS f ON f.id = e.transfer_id
    WHERE f.kind = 'transfer'
    WINDOW same_payment AS (PARTITION BY e.wallet_id, f.to_wallet_id, e.amount ORDER BY e.created_at)
),

pairs AS (
    SELECT
        s.transfer_id,
        s.earlier_id,
        s.amount,
        s.currency,
        s.created_at,
        s.earlier_at,
        u.first_name || ' ' || left(u.last_name, 1) || '.' AS counterparty
    FROM sent AS s
    INNER JOIN wallets AS o ON o.id = s.to_wallet_id
    LEFT JOIN users AS u ON u.id = o.user_id
    WHERE s.created_at - s.earlier_at <= interval '1 day'
    ORDER BY s.created_at DESC
    LIMIT 3
)

SELECT
    json_build_object(
        'state', CASE WHEN EXISTS (SELECT 1 FROM pairs) THEN 'some' ELSE 'none' END,
        'pairs', coalesce(
            (
                SELECT
                    json_agg(
                        json_build_object(
                            'id', d.transfer_id,
                            'earlier_id', d.earlier_id,
                            'amount', d.amount::text,
                            'currency', d.currency,
                            'counterparty', d.counterparty,
                            'on', to_char(d.created_at AT TIME ZONE 'Africa/Johannesburg', 'YYYY-MM-DD HH24:MI'),
                            'earlier_on', to_char(d.earlier_at AT TIME ZONE 'Africa/Johannesburg', 'YYYY-MM-DD HH24:MI')
                        )
                        ORDER BY d.created_at DESC
                    )
                FROM pairs AS d
            ),
            '[]'::json
        ),
        'wallets', coalesce(
            (
                SELECT json_agg(json_build_object('number', w.number, 'status', w.status) ORDER BY w.id)
                FROM wallets AS w
                WHERE w.user_id = p.id AND w.kind = 'customer'
            ),
            '[]'::json
        )
    )::text AS data
FROM person AS p
