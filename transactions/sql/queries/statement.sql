-- One row per wallet of a customer (number null: of all): what a statement of a period says of it, from the totals that
-- its last entry before the period and its last one before the period's end carry. Two index probes a wallet. The
-- entries of the period are those from sequence_before (excluded) to last_sequence (included): no gap, time in order.
SELECT
    w.id AS wallet_id,
    w.number,
    p.first_name || ' ' || p.last_name AS holder_name,
    w.currency,
    coalesce(b.balance_after, 0) AS opening_balance,
    coalesce(l.balance_after, 0) AS closing_balance,
    coalesce(l.total_received_after, 0) - coalesce(b.total_received_after, 0) AS total_in,
    coalesce(l.total_sent_after, 0) - coalesce(b.total_sent_after, 0) AS total_out,
    coalesce(l.sequence, 0) - coalesce(b.sequence, 0) AS entry_count,
    coalesce(b.sequence, 0) AS sequence_before,
    coalesce(l.sequence, 0) AS last_sequence
FROM users AS p
INNER JOIN wallets AS w ON w.user_id = p.id AND w.kind = 'customer'
LEFT JOIN LATERAL (
    SELECT
        t.sequence,
        t.balance_after,
        t.total_received_after,
        t.total_sent_after
    FROM transactions AS t
    WHERE t.wallet_id = w.id AND t.created_at < %(starts_at)s
    ORDER BY t.created_at DESC, t.sequence DESC
    LIMIT 1
) AS b ON TRUE
LEFT JOIN LATERAL (
    SELECT
        t.sequence,
        t.balance_after,
        t.total_received_after,
        t.total_sent_after
    FROM transactions AS t
    WHERE t.wallet_id = w.id AND t.created_at < %(ends_at)s
    ORDER BY t.created_at DESC, t.sequence DESC
    LIMIT 1
) AS l ON TRUE
WHERE p.public_id = %(user)s AND (%(number)s::text IS NULL OR w.number = %(number)s)
