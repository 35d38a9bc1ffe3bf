-- One row per kind of thing that waits and, for money, its currency: how many there are, how much that is (for suspense
-- what we owe customers less what we owe tills), and when the oldest began to wait or the first hold ran out. Along the
-- indexes of what waits.
SELECT
    'holds' AS what,
    h.currency,
    count(*) AS count,
    sum(h.amount) AS amount,
    min(h.expires_at) AS oldest
FROM holds AS h
WHERE h.status = 'held'
GROUP BY h.currency
UNION ALL
SELECT
    'suspense' AS what,
    s.currency,
    count(*) AS count,
    coalesce(sum(s.amount) FILTER (WHERE s.direction = 'owed_to_customer'), 0)
    - coalesce(sum(s.amount) FILTER (WHERE s.direction = 'owed_to_till'), 0) AS amount,
    min(s.created_at) AS oldest
FROM suspense_items AS s
WHERE s.resolved_at IS NULL
GROUP BY s.currency
UNION ALL
SELECT
    'till_events' AS what,
    NULL AS currency,
    count(*) AS count,
    NULL AS amount,
    min(e.received_at) AS oldest
FROM till_events AS e
WHERE e.result IS NULL
UNION ALL
SELECT
    'kyc' AS what,
    NULL AS currency,
    count(*) AS count,
    NULL AS amount,
    min(k.created_at) AS oldest
FROM kyc_submissions AS k
WHERE k.status = 'pending' AND k.waits_for IN ('officer', 'second')
UNION ALL
SELECT
    'tickets' AS what,
    NULL AS currency,
    count(*) AS count,
    NULL AS amount,
    min(t.waits_since) AS oldest
FROM support_tickets AS t
WHERE t.status = 'open'
