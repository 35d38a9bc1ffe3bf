-- Each wallet's entries count 1, 2, 3 … without a gap, each follows from the one before, and the head counts them all.
SELECT
    c.wallet_number,
    c.wallet_id,
    c.sequence,
    c.transfer_id,
    c.broken
FROM (
    SELECT
        w.number AS wallet_number,
        e.wallet_id,
        e.sequence,
        e.transfer_id,
        CASE
            WHEN w.id IS NULL THEN 'there is no such wallet'
            WHEN e.sequence <> e.sequence_before + 1 THEN 'the sequence has a gap'
            WHEN
                e.total_received_after <> e.total_received_before
                + CASE e.type WHEN 'received' THEN e.amount ELSE 0 END
                THEN 'total_received_after does not follow'
            WHEN
                e.total_sent_after <> e.total_sent_before + CASE e.type WHEN 'sent' THEN e.amount ELSE 0 END
                THEN 'total_sent_after does not follow'
            WHEN e.balance_after <> e.total_received_after - e.total_sent_after THEN 'balance_after does not follow'
            WHEN e.created_at < e.created_before THEN 'time went back'
            WHEN e.currency <> w.currency THEN 'the currency is not the wallet''s'
            WHEN (e.user_id IS DISTINCT FROM w.user_id) THEN 'the user is not the wallet''s'
            WHEN w.sequence IS NULL OR e.sequence > w.sequence THEN 'the head does not know this entry'
            WHEN
                e.sequence = w.sequence
                AND (e.received_count <> w.received_count OR e.sequence - e.received_count <> w.sent_count)
                THEN 'the head counts otherwise'
        END AS broken
    FROM (
        SELECT
            t.wallet_id,
            t.sequence,
            t.transfer_id,
            t.user_id,
            t.type,
            t.amount,
            t.currency,
            t.balance_after,
            t.total_received_after,
            t.total_sent_after,
            t.created_at,
            lag(t.sequence, 1, 0::bigint) OVER chain AS sequence_before,
            lag(t.total_received_after, 1, 0::numeric) OVER chain AS total_received_before,
            lag(t.total_sent_after, 1, 0::numeric) OVER chain AS total_sent_before,
            lag(t.created_at) OVER chain AS created_before,
            count(*) FILTER (WHERE t.type = 'received') OVER chain AS received_count
        FROM transactions AS t
        WINDOW chain AS (PARTITION BY t.wallet_id ORDER BY t.sequence ROWS UNBOUNDED PRECEDING)
    ) AS e
    LEFT JOIN wallets AS w ON w.id = e.wallet_id
) AS c
WHERE c.broken IS NOT NULL
ORDER BY c.wallet_id, c.sequence
LIMIT 1
