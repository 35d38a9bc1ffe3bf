-- One row per open suspense item, the oldest first, from the one after `last_at` and `last_id` on.
SELECT
    s.id,
    s.public_id,
    s.direction,
    s.reason,
    s.amount,
    s.currency,
    s.created_at,
    s.voucher_id,
    v.public_id AS voucher,
    v.voucher_type,
    s.till_event_id,
    e.provider_reference,
    s.user_id
FROM suspense_items AS s
LEFT JOIN vouchers AS v ON v.id = s.voucher_id
LEFT JOIN till_events AS e ON e.id = s.till_event_id
WHERE s.resolved_at IS NULL AND (s.created_at, s.id) > (%(last_at)s, %(last_id)s)
ORDER BY s.created_at, s.id
LIMIT %(most)s
