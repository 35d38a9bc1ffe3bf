-- Each wallet's head says what its last entry says; a wallet without entries is empty.
SELECT
    w.number AS wallet_number,
    w.id AS wallet_id,
    w.sequence,
    w.balance,
    e.balance_after,
    w.total_received,
    e.total_received_after,
    w.total_sent,
    e.total_sent_after,
    w.last_entry_at,
    e.created_at AS entry_at
FROM wallets AS w
LEFT JOIN transactions AS e ON e.wallet_id = w.id AND e.sequence = w.sequence
WHERE
    (w.sequence IS NULL AND (w.balance <> 0 OR w.total_received <> 0 OR w.total_sent <> 0 OR w.held <> 0))
    OR (w.sequence IS NULL AND (w.received_count <> 0 OR w.sent_count <> 0 OR w.last_entry_at IS NOT NULL))
    OR (w.sequence IS NOT NULL AND e.id IS NULL)
    OR w.balance <> e.balance_after
    OR w.total_received <> e.total_received_after
    OR w.total_sent <> e.total_sent_after
    OR (w.sequence IS NOT NULL AND w.last_entry_at IS DISTINCT FROM e.created_at)
ORDER BY w.id
LIMIT 1
