-- One row, one JSON: how a customer's account stands, what can reach it, on how many devices it is signed in, and its
-- wallets, closed ones left out. Parameters: user (public id), at.
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
