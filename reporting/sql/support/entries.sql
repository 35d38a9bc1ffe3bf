-- One row, one JSON: the five newest entries of a customer, or of those the ones sent or received, and lifetime totals.
-- Index probes only, for each type its newest five. Parameters: user (public id), type (sent, received; null: both).
WITH person AS (
    SELECT p.id
    FROM users AS p
    WHERE p.public_id = %(user)s
),

newest AS (
    SELECT
        e.wallet_id,
        e.sequence,
        e.transfer_id,
        e.type,
        e.amount,
        e.currency,
        e.balance_after,
        e.created_at
    FROM person AS p
    CROSS JOIN unnest(ARRAY['sent', 'received']) AS k (type)
    INNER JOIN LATERAL (
        SELECT
            t.wallet_id,
            t.sequence,
            t.transfer_id,
            t.type,
            t.amount,
            t.currency,
            t.balance_after,
            t.created_at
        FROM transactions AS t
        WHERE t.user_id = p.id AND t.type = k.type
        ORDER BY t.created_at DESC
        LIMIT 5
    ) AS e ON TRUE
    WHERE %(type)s::text IS NULL OR k.type = %(type)s
    ORDER BY e.created_at DESC, e.sequence DESC
    LIMIT 5
),

told AS (
    SELECT
        n.created_at,
        n.sequence,
        json_build_object(
            'id', w.number || '-' || n.sequence,
            'transfer', n.transfer_id,
            'type', n.type,
            'kind', f.kind,
            'line', CASE
                WHEN o.kind = 'customer' THEN n.type
                WHEN f.kind IN ('fee', 'vat') AND n.type = 'received' THEN 'fee_returned'
                WHEN
                    f.kind IN (
                        'fee', 'vat', 'voucher_issue', 'voucher_redeem', 'voucher_refund', 'top_up', 'cash_out'
                    ) THEN f.kind
                ELSE n.type
            END,
            'amount', n.amount::text,
            'currency', n.currency,
            'balance_after', n.balance_after::text,
            'counterparty', CASE
                WHEN o.kind = 'customer' THEN u.first_name || ' ' || left(u.last_name, 1) || '.'
                ELSE 'MyMoolah'
            END,
            'created_at', to_char(n.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'on', to_char(n.created_at AT TIME ZONE 'Africa/Johannesburg', 'YYYY-MM-DD HH24:MI')
        ) AS entry
    FROM newest AS n
    INNER JOIN transfers AS f ON f.id = n.transfer_id
    INNER JOIN wallets AS w ON w.id = n.wallet_id
    INNER JOIN wallets AS o ON o.id = CASE n.type WHEN 'sent' THEN f.to_wallet_id ELSE f.from_wallet_id END
    LEFT JOIN users AS u ON u.id = o.user_id
)

SELECT
    json_build_object(
        'state', CASE WHEN EXISTS (SELECT 1 FROM told) THEN 'some' ELSE 'none' END,
        'entries', coalesce(
            (SELECT json_agg(t.entry ORDER BY t.created_at DESC, t.sequence DESC) FROM told AS t), '[]'::json
        ),
        'totals', coalesce(
            (
                SELECT
                    json_agg(
                        json_build_object(
                            'currency', w.currency,
                            'total_received', w.total_received::text,
                            'total_sent', w.total_sent::text
                        )
                        ORDER BY w.id
                    )
                FROM wallets AS w
                WHERE w.user_id = p.id AND w.kind = 'customer'
            ),
            '[]'::json
        )
    )::text AS data
FROM person AS p
