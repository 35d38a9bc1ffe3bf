-- One row per entry, the newest first: the latest of all wallets of a customer, with the other end of each.
-- Every wallet is probed for its newest, so the cost does not grow with the history. Parameters: user (id), most.
WITH latest AS (
    SELECT
        w.number,
        e.id,
        e.sequence,
        e.transfer_id,
        e.type,
        e.amount,
        e.currency,
        e.balance_after,
        e.created_at
    FROM wallets AS w
    INNER JOIN LATERAL (
        SELECT
            t.id,
            t.sequence,
            t.transfer_id,
            t.type,
            t.amount,
            t.currency,
            t.balance_after,
            t.created_at
        FROM transactions AS t
        WHERE t.wallet_id = w.id
        ORDER BY t.sequence DESC
        LIMIT %(most)s
    ) AS e ON TRUE
    WHERE w.user_id = %(user)s AND w.kind = 'customer'
    ORDER BY e.created_at DESC, w.number DESC, e.sequence DESC
    LIMIT %(most)s
)

SELECT
    l.number,
    l.id,
    l.sequence,
    l.transfer_id,
    l.type,
    l.amount,
    l.currency,
    l.balance_after,
    l.created_at,
    f.kind,
    f.reference,
    f.group_id,
    o.kind AS other_kind,
    o.number AS other_number,
    u.public_id AS other_user,
    u.first_name || ' ' || u.last_name AS other_name
FROM latest AS l
INNER JOIN transfers AS f ON f.id = l.transfer_id
INNER JOIN wallets AS o ON o.id = CASE l.type WHEN 'sent' THEN f.to_wallet_id ELSE f.from_wallet_id END
LEFT JOIN users AS u ON u.id = o.user_id
ORDER BY l.created_at DESC, l.number DESC, l.sequence DESC
