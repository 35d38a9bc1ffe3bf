-- One row per user and currency: a customer's wallet and what went through it, read from its running totals.
SELECT
    w.id AS wallet_id,
    w.user_id,
    w.currency,
    w.received_count + w.sent_count AS total_transactions,
    w.received_count,
    w.sent_count,
    w.total_received,
    w.total_sent,
    w.last_entry_at AS last_transaction_date
FROM wallets AS w
WHERE w.kind = 'customer'
