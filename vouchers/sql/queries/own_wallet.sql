-- At most one row: a customer's wallet in a currency. Parameters: user (public id), currency.
SELECT
    u.id AS user_id,
    w.id AS wallet_id,
    w.number
FROM users AS u
INNER JOIN wallets AS w ON w.user_id = u.id AND w.kind = 'customer'
WHERE u.public_id = %(user)s AND w.currency = %(currency)s
