-- One row, one JSON: how a customer's account stands, what can reach it, on how many devices it is signed in, and its
-- wallets, closed ones left out; where asked for, of his newest hundred vouchers those that can still be used.
-- Parameters: user (public id), at, live (whether vouchers are told).
SELECT
    json_build_object(
        'state', CASE
            WHEN p.status <> 'active' THEN p.status
            WHEN EXISTS (
                SELECT 1
                FROM wallets AS a
                WHERE a.user_id = p.id AND a.kind = 'customer' AND a.status = 'active'
            ) THEN 'active'
            ELSE 'frozen'
        END,
        'first_name', p.first_name,
        'email_confirmed', p.email_verified_at IS NOT NULL,
        'phone_confirmed', p.phone_verified_at IS NOT NULL,
        'name_confirmed', p.id_verified,
        'devices', (
            SELECT count(*)
            FROM login_sessions AS s
            WHERE s.user_id = p.id AND s.revoked_at IS NULL AND s.expires_at > %(at)s
        ),
        'vouchers', coalesce(
            (
                SELECT
                    json_agg(
                        json_build_object(
                            'id', v.public_id,
                            'may_be_cancelled', v.voucher_type <> 'standard' AND NOT EXISTS (
                                SELECT 1
                                FROM suspense_items AS i
                                WHERE i.voucher_id = v.id AND i.resolved_at IS NULL
                            ),
                            'line', CASE v.voucher_type WHEN 'standard' THEN 'code' ELSE 'till' END,
                            'number_end', right(v.easypay_number, 4),
                            'balance', v.balance::text,
                            'original_amount', v.original_amount::text,
                            'currency', v.currency,
                            'on', to_char(v.created_at AT TIME ZONE 'Africa/Johannesburg', 'YYYY-MM-DD HH24:MI')
                        )
                        ORDER BY v.created_at DESC, v.id DESC
                    )
                FROM (
                    SELECT
                        n.id,
                        n.public_id,
                        n.voucher_type,
                        n.easypay_number,
                        n.original_amount,
                        n.balance,
                        n.currency,
                        n.created_at
                    FROM (
                        SELECT
                            h.id,
                            h.public_id,
                            h.voucher_type,
                            h.status,
                            h.easypay_number,
                            h.original_amount,
                            h.balance,
                            h.currency,
                            h.expires_at,
                            h.created_at
                        FROM vouchers AS h
                        WHERE %(live)s::boolean AND h.user_id = p.id
                        ORDER BY h.created_at DESC, h.id DESC
                        LIMIT 100
                    ) AS n
                    WHERE
                        n.status IN ('active', 'pending_payment')
                        AND n.expires_at > %(at)s
                        AND n.voucher_type IN ('standard', 'easypay_voucher', 'easypay_cashout')
                    ORDER BY n.created_at DESC, n.id DESC
                    LIMIT 5
                ) AS v
            ),
            '[]'::json
        ),
        'wallets', coalesce(
            (
                SELECT
                    json_agg(
                        json_build_object('number', w.number, 'currency', w.currency, 'status', w.status) ORDER BY w.id
                    )
                FROM wallets AS w
                WHERE w.user_id = p.id AND w.kind = 'customer' AND w.status <> 'closed'
            ),
            '[]'::json
        )
    )::text AS data
FROM users AS p
WHERE p.public_id = %(user)s
