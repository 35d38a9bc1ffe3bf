-- One row, one JSON: the transfer that a customer names by its id, or his newest ones to other customers, of an amount
-- where he names one; and his wallets, for who wants to stop more from leaving. Somebody else's transfer is not found,
-- as one that does not exist. Of the newest fifty entries sent; index probes only.
-- Parameters: user (public id), at, transfer (id; null), amount (null).
WITH person AS (
    SELECT
        p.id,
        p.kyc_tier
    FROM users AS p
    WHERE p.public_id = %(user)s
),

named AS (
    SELECT
        t.wallet_id,
        t.sequence,
        t.transfer_id,
        t.type,
        t.amount,
        t.currency,
        t.created_at
    FROM person AS p
    INNER JOIN transactions AS t ON t.transfer_id = %(transfer)s::uuid AND t.user_id = p.id
),

newest AS (
    SELECT
        e.wallet_id,
        e.sequence,
        e.transfer_id,
        e.type,
        e.amount,
        e.currency,
        e.created_at
    FROM person AS p
    INNER JOIN LATERAL (
        SELECT
            t.wallet_id,
            t.sequence,
            t.transfer_id,
            t.type,
            t.amount,
            t.currency,
            t.created_at
        FROM transactions AS t
        WHERE t.user_id = p.id AND t.type = 'sent'
        ORDER BY t.created_at DESC
        LIMIT 50
    ) AS e ON TRUE
    INNER JOIN transfers AS f ON f.id = e.transfer_id
    WHERE
        %(transfer)s::uuid IS NULL
        AND f.kind = 'transfer'
        AND (%(amount)s::numeric IS NULL OR e.amount = %(amount)s::numeric)
    ORDER BY e.created_at DESC, e.sequence DESC
    LIMIT 3
),

chosen AS (
    SELECT
        n.wallet_id,
        n.sequence,
        n.transfer_id,
        n.type,
        n.amount,
        n.currency,
        n.created_at
    FROM named AS n
    UNION ALL
    SELECT
        n.wallet_id,
        n.sequence,
        n.transfer_id,
        n.type,
        n.amount,
        n.currency,
        n.created_at
    FROM newest AS n
),

told AS (
    SELECT
        c.created_at,
        c.sequence,
        json_build_object(
            'id', c.transfer_id,
            'entry', w.number || '-' || c.sequence,
            'line', CASE
                WHEN r.id IS NULL THEN c.type
                WHEN c.type = 'sent' THEN 'reversed'
                WHEN r.from_wallet_id = c.wallet_id THEN 'returned'
                ELSE c.type -- by force: the bank paid it back, and nothing was taken from here
            END,
            'amount', c.amount::text,
            'currency', c.currency,
            'counterparty', CASE
                WHEN o.kind = 'customer' THEN u.first_name || ' ' || left(u.last_name, 1) || '.'
                ELSE 'MyMoolah'
            END,
            'reversed_on', to_char(r.created_at AT TIME ZONE 'Africa/Johannesburg', 'YYYY-MM-DD HH24:MI'),
            'created_at', to_char(c.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'on', to_char(c.created_at AT TIME ZONE 'Africa/Johannesburg', 'YYYY-MM-DD HH24:MI')
        ) AS transfer
    FROM chosen AS c
    INNER JOIN transfers AS f ON f.id = c.transfer_id
    INNER JOIN wallets AS w ON w.id = c.wallet_id
    INNER JOIN wallets AS o ON o.id = CASE c.type WHEN 'sent' THEN f.to_wallet_id ELSE f.from_wallet_id END
    LEFT JOIN users AS u ON u.id = o.user_id
    LEFT JOIN transfers AS r ON r.reverses_id = c.transfer_id
)

SELECT
    json_build_object(
        'state', CASE
            WHEN EXISTS (SELECT 1 FROM told) THEN 'some'
            WHEN %(transfer)s::uuid IS NOT NULL OR %(amount)s::numeric IS NOT NULL THEN 'not_found'
            ELSE 'none'
        END,
        'transfers', coalesce(
            (SELECT json_agg(t.transfer ORDER BY t.created_at DESC, t.sequence DESC) FROM told AS t), '[]'::json
        ),
        'wallets', coalesce(
            (
                SELECT
                    json_agg(
                        json_build_object(
                            'number', w.number,
                            'currency', w.currency,
                            'status', w.status,
                            'available', (w.balance - w.held)::text,
                            'left_today', (
                                l.per_day_amount
                                - least(
                                    CASE
                                        WHEN
                                            w.spent_on
                                            = (%(at)s::timestamptz AT TIME ZONE 'Africa/Johannesburg')::date
                                            THEN w.spent_day_amount
                                        ELSE 0
                                    END,
                                    l.per_day_amount
                                )
                            )::text,
                            'allowance', CASE
                                WHEN w.status <> 'active' THEN w.status
                                WHEN l.may_send IS NULL THEN 'no_limits'
                                WHEN l.may_send THEN 'may_send'
                                ELSE 'may_not_send'
                            END
                        )
                        ORDER BY w.id
                    )
                FROM wallets AS w
                LEFT JOIN tier_limits AS l ON l.tier = p.kyc_tier AND l.currency = w.currency
                WHERE w.user_id = p.id AND w.kind = 'customer'
            ),
            '[]'::json
        )
    )::text AS data
FROM person AS p
