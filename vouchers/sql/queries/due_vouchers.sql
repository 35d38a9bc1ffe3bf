-- One row per voucher whose term is over, the longest overdue first, after (last_at, last_id): those that customers
-- type at once, those of tills once messages can no longer come late; none that waits for finance.
-- Parameters: standard_until, easypay_until (each the last end that is due), last_at, last_id, most.
SELECT
    v.id,
    v.expires_at
FROM vouchers AS v
WHERE
    v.status IN ('active', 'pending_payment')
    AND v.expires_at <= %(standard_until)s
    AND (v.voucher_type = 'standard' OR v.expires_at <= %(easypay_until)s)
    AND v.expires_at >= %(last_at)s
    AND (v.expires_at, v.id) > (%(last_at)s, %(last_id)s)
    AND NOT EXISTS (
        SELECT 1
        FROM suspense_items AS s
        WHERE s.voucher_id = v.id AND s.resolved_at IS NULL
    )
ORDER BY v.expires_at, v.id
LIMIT %(most)s
