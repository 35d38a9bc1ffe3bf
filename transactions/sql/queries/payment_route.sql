-- One row, if the payer exists: his wallet of the currency, and whom the given number, phone or e-mail (one of them,
-- the others null) names. No recipient_id: nobody. No recipient_wallet_id: somebody without a wallet of the currency.
-- Phones and e-mails count once they are verified; staff are nobody here.
WITH recipient AS (
    SELECT
        w.user_id,
        w.id AS wallet_id
    FROM wallets AS w
    WHERE w.number = %(number)s AND w.kind = 'customer'
    UNION ALL
    SELECT
        u.id AS user_id,
        w.id AS wallet_id
    FROM users AS u
    LEFT JOIN wallets AS w ON w.user_id = u.id AND w.kind = 'customer' AND w.currency = %(currency)s
    WHERE u.phone = %(phone)s AND u.phone_verified_at IS NOT NULL AND NOT u.is_staff AND NOT u.is_superuser
    UNION ALL
    SELECT
        u.id AS user_id,
        w.id AS wallet_id
    FROM users AS u
    LEFT JOIN wallets AS w ON w.user_id = u.id AND w.kind = 'customer' AND w.currency = %(currency)s
    WHERE
        lower(u.email) = %(email)s AND u.email_verified_at IS NOT NULL AND NOT u.is_staff AND NOT u.is_superuser
)

SELECT
    p.id AS payer_id,
    p.status = 'active' AS payer_is_active,
    p.kyc_tier AS payer_tier,
    COALESCE(l.may_send, FALSE) AS payer_may_send,
    s.id AS payer_wallet_id,
    u.id AS recipient_id,
    w.id AS recipient_wallet_id,
    w.number AS recipient_number,
    u.first_name || ' ' || left(u.last_name, 1) || '.' AS recipient_name,
    u.status = 'active' AND w.status = 'active' AS is_active
FROM users AS p
LEFT JOIN wallets AS s ON s.user_id = p.id AND s.kind = 'customer' AND s.currency = %(currency)s
LEFT JOIN tier_limits AS l ON l.tier = p.kyc_tier AND l.currency = %(currency)s
LEFT JOIN recipient AS r ON TRUE
LEFT JOIN users AS u ON u.id = r.user_id
LEFT JOIN wallets AS w ON w.id = r.wallet_id AND w.currency = %(currency)s
WHERE p.public_id = %(user)s
