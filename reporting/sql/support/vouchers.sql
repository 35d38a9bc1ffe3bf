-- One row, one JSON: a customer's vouchers of some types, newest first, of the newest hundred, or the one that he names
-- by its number; how many are live; what waits for finance, which is told instead of its voucher; what such a voucher
-- costs; and whether he may not draw cash yet.
-- Parameters: user (public id), at, types, number (an EasyPay number; null), live (whether only live ones are shown).
WITH person AS (
    SELECT
        p.id,
        p.kyc_tier
    FROM users AS p
    WHERE p.public_id = %(user)s
),

named AS (
    SELECT v.id
    FROM person AS p
    INNER JOIN vouchers AS v ON v.easypay_number = %(number)s AND v.user_id = p.id
    WHERE v.voucher_type = ANY(%(types)s::text[])
),

newest AS (
    SELECT
        n.id,
        n.public_id,
        n.voucher_type,
        n.status,
        n.easypay_number,
        n.original_amount,
        n.balance,
        n.currency,
        n.expires_at,
        n.created_at
    FROM person AS p
    INNER JOIN LATERAL (
        SELECT
            v.id,
            v.public_id,
            v.voucher_type,
            v.status,
            v.easypay_number,
            v.original_amount,
            v.balance,
            v.currency,
            v.expires_at,
            v.created_at
        FROM vouchers AS v
        WHERE v.user_id = p.id
        ORDER BY v.created_at DESC, v.id DESC
        LIMIT 100
    ) AS n ON TRUE
    WHERE
        NOT EXISTS (SELECT 1 FROM named)
        AND %(number)s::text IS NULL
        AND n.voucher_type = ANY(%(types)s::text[])
        AND (
            NOT %(live)s::boolean
            OR (n.status IN ('active', 'pending_payment') AND n.expires_at > %(at)s)
        )
    ORDER BY n.created_at DESC, n.id DESC
    LIMIT 5
),

found AS (
    SELECT
        n.id,
        n.public_id,
        n.voucher_type,
        n.status,
        n.easypay_number,
        n.original_amount,
        n.balance,
        n.currency,
        n.expires_at,
        n.created_at
    FROM newest AS n
    UNION ALL
    SELECT
        v.id,
        v.public_id,
        v.voucher_type,
        v.status,
        v.easypay_number,
        v.original_amount,
        v.balance,
        v.currency,
        v.expires_at,
        v.created_at
    FROM named AS n
    INNER JOIN vouchers AS v ON v.id = n.id
),

waiting AS (
    SELECT
        s.id,
        s.voucher_id,
        s.reason,
        s.amount,
        s.currency,
        s.created_at
    FROM person AS p
    INNER JOIN suspense_items AS s ON s.user_id = p.id
    WHERE s.resolved_at IS NULL AND s.direction = 'owed_to_customer'
    ORDER BY s.id DESC
    LIMIT 5
),

shown AS (
    SELECT
        f.id,
        f.public_id,
        f.voucher_type,
        f.status,
        f.easypay_number,
        f.original_amount,
        f.balance,
        f.currency,
        f.expires_at,
        f.created_at
    FROM found AS f
    LEFT JOIN waiting AS w ON w.voucher_id = f.id
    WHERE w.id IS NULL
),

costs AS (
    SELECT DISTINCT ON (r.kind, r.currency)
        r.kind,
        r.currency,
        r.fee_amount,
        round(r.fee_amount * r.vat_rate, 2) AS vat_amount
    FROM fee_rules AS r
    WHERE r.kind = ANY(%(types)s::text[]) AND r.valid_from <= %(at)s
    ORDER BY r.kind ASC, r.currency ASC, r.valid_from DESC
)

SELECT
    json_build_object(
        'state', CASE
            WHEN EXISTS (SELECT 1 FROM waiting) THEN 'waiting'
            WHEN EXISTS (SELECT 1 FROM shown) THEN 'some'
            WHEN %(number)s::text IS NOT NULL THEN 'not_found'
            ELSE 'none'
        END,
        'vouchers', coalesce(
            (
                SELECT
                    json_agg(
                        json_build_object(
                            'id', v.public_id,
                            'voucher_type', v.voucher_type,
                            'status', v.status,
                            'line', CASE
                                WHEN v.status NOT IN ('active', 'pending_payment') OR v.expires_at > %(at)s
                                    THEN v.status
                                WHEN v.voucher_type = 'easypay_cashout' THEN 'ended'
                                ELSE 'expired'
                            END,
                            'may_be_cancelled', (
                                v.voucher_type <> 'standard'
                                AND v.status IN ('active', 'pending_payment')
                                AND v.expires_at > %(at)s
                                AND NOT EXISTS (
                                    SELECT 1
                                    FROM suspense_items AS i
                                    WHERE i.voucher_id = v.id AND i.resolved_at IS NULL
                                )
                            ),
                            'number_end', right(v.easypay_number, 4),
                            'original_amount', v.original_amount::text,
                            'balance', v.balance::text,
                            'currency', v.currency,
                            'on', to_char(v.created_at AT TIME ZONE 'Africa/Johannesburg', 'YYYY-MM-DD HH24:MI'),
                            'ends_on',
                            to_char(
                                v.expires_at AT TIME ZONE 'Africa/Johannesburg' - interval '1 microsecond', 'YYYY-MM-DD'
                            )
                        )
                        ORDER BY v.created_at DESC, v.id DESC
                    )
                FROM shown AS v
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
        ),
        'totals', coalesce(
            (
                SELECT
                    json_agg(
                        json_build_object(
                            'currency', s.currency,
                            'active_count', s.active_count,
                            'active_balance', s.active_balance::text,
                            'pending_count', s.pending_count,
                            'pending_balance', s.pending_balance::text
                        )
                        ORDER BY s.currency
                    )
                FROM voucher_summary AS s
                WHERE s.user_id = p.id
            ),
            '[]'::json
        ),
        'frozen', coalesce(
            (
                SELECT json_agg(json_build_object('number', w.number) ORDER BY w.id)
                FROM wallets AS w
                WHERE w.user_id = p.id AND w.kind = 'customer' AND w.status = 'frozen'
            ),
            '[]'::json
        ),
        'not_allowed', CASE
            WHEN
                p.kyc_tier IN (
                    SELECT l.tier
                    FROM tier_limits AS l
                    WHERE l.may_cash_out
                )
                THEN '[]'::json
            ELSE '[{}]'::json
        END,
        'fees', coalesce(
            (
                SELECT
                    json_agg(
                        json_build_object(
                            'kind', c.kind,
                            'currency', c.currency,
                            'fee_amount', c.fee_amount::text,
                            'vat_amount', c.vat_amount::text,
                            'total_amount', (c.fee_amount + c.vat_amount)::text
                        )
                        ORDER BY c.kind
                    )
                FROM costs AS c
            ),
            '[]'::json
        )
    )::text AS data
FROM person AS p
