-- What a till reported redeemed the voucher of that number and amount, once, or stands in one suspense item, or waits.
WITH items AS (
    SELECT
        s.till_event_id,
        s.public_id,
        s.amount,
        s.currency,
        count(*) OVER (PARTITION BY s.till_event_id) AS items
    FROM suspense_items AS s
    WHERE s.till_event_id IS NOT NULL
)

SELECT
    r.provider_reference,
    r.easypay_number,
    r.amount,
    r.result,
    v.status AS voucher_status,
    v.original_amount,
    i.public_id AS item_id,
    i.amount AS item_amount
FROM (
    SELECT
        e.id,
        e.provider_reference,
        e.easypay_number,
        e.amount,
        e.currency,
        e.result,
        e.voucher_id,
        count(*) FILTER (WHERE e.result = 'applied') OVER (PARTITION BY e.voucher_id) AS applied_count
    FROM till_events AS e
) AS r
LEFT JOIN vouchers AS v ON v.id = r.voucher_id
LEFT JOIN items AS i ON i.till_event_id = r.id
WHERE
    (r.result IS NOT DISTINCT FROM 'suspense') <> (i.till_event_id IS NOT NULL)
    OR i.items > 1
    OR i.amount <> r.amount
    OR i.currency <> r.currency
    OR (
        r.result = 'applied'
        AND (
            v.id IS NULL
            OR v.status <> 'redeemed'
            OR v.easypay_number <> r.easypay_number
            OR v.original_amount <> r.amount
            OR v.currency <> r.currency
            OR r.applied_count > 1
        )
    )
ORDER BY r.id
LIMIT 1
