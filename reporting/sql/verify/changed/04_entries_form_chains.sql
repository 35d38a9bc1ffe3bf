-- Each wallet's entries count 1, 2, 3 … without a gap, each follows from the one before, and the head counts them all.
-- Each of the new entries is compared with the one before it, which was verified or is new as well.
WITH fresh AS MATERIALIZED (
    SELECT f.id
    FROM transfers AS f
    WHERE f.created_at >= %(since)s
),

broken AS MATERIALIZED (
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
                WHEN e.sequence < 1 OR (e.sequence > 1 AND p.id IS NULL) THEN 'the sequence has a gap'
                WHEN
                    e.total_received_after <> coalesce(p.total_received_after, 0)
                    + CASE e.type WHEN 'received' THEN e.amount ELSE 0 END
                    THEN 'total_received_after does not follow'
                WHEN
                    e.total_sent_after <> coalesce(p.total_sent_after, 0)
                    + CASE e.type WHEN 'sent' THEN e.amount ELSE 0 END
                    THEN 'total_sent_after does not follow'
                WHEN e.balance_after <> e.total_received_after - e.total_sent_after THEN 'balance_after does not follow'
                WHEN e.created_at < p.created_at THEN 'time went back'
                WHEN e.currency <> w.currency THEN 'the currency is not the wallet''s'
                WHEN (e.user_id IS DISTINCT FROM w.user_id) THEN 'the user is not the wallet''s'
                WHEN w.sequence IS NULL OR e.sequence > w.sequence THEN 'the head does not know this entry'
                WHEN w.received_count + w.sent_count <> w.sequence THEN 'the head counts otherwise'
            END AS broken
        FROM fresh AS t
        INNER JOIN transactions AS e ON e.transfer_id = t.id
        LEFT JOIN transactions AS p ON p.wallet_id = e.wallet_id AND p.sequence = e.sequence - 1
        LEFT JOIN wallets AS w ON w.id = e.wallet_id
    ) AS c
    WHERE c.broken IS NOT NULL
)

SELECT
    b.wallet_number,
    b.wallet_id,
    b.sequence,
    b.transfer_id,
    b.broken
FROM broken AS b
ORDER BY b.wallet_id, b.sequence
LIMIT 1
