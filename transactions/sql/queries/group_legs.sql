-- One row per leg of the group that this transfer leads, the last first; or the transfer alone if it leads none. No
-- row: there is no such transfer.
SELECT
    t.id,
    t.group_id,
    t.kind,
    t.from_wallet_id,
    t.to_wallet_id,
    t.amount,
    t.currency,
    t.reference,
    r.id IS NOT NULL AS is_reversed
FROM (
    SELECT
        a.id,
        a.group_id,
        a.kind,
        a.from_wallet_id,
        a.to_wallet_id,
        a.amount,
        a.currency,
        a.reference
    FROM transfers AS a
    WHERE a.id = %(transfer)s
    UNION ALL
    SELECT
        b.id,
        b.group_id,
        b.kind,
        b.from_wallet_id,
        b.to_wallet_id,
        b.amount,
        b.currency,
        b.reference
    FROM transfers AS b
    WHERE b.group_id = %(transfer)s AND b.group_id <> b.id
) AS t
INNER JOIN transactions AS s ON s.transfer_id = t.id AND s.type = 'sent'
LEFT JOIN transfers AS r ON r.reverses_id = t.id
ORDER BY s.id DESC
