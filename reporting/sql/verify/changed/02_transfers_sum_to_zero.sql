-- Each transfer has exactly two entries, one sent and one received, which sum to zero in one currency.
SELECT
    t.id AS transfer_id,
    count(e.id) AS entries,
    count(e.id) FILTER (WHERE e.type = 'sent') AS sent,
    count(e.id) FILTER (WHERE e.type = 'received') AS received,
    coalesce(sum(e.amount) FILTER (WHERE e.type = 'received'), 0)
    - coalesce(sum(e.amount) FILTER (WHERE e.type = 'sent'), 0) AS difference
FROM transfers AS t
LEFT JOIN transactions AS e ON e.transfer_id = t.id
WHERE t.created_at >= %(since)s
GROUP BY t.id
HAVING
    count(e.id) <> 2
    OR count(e.id) FILTER (WHERE e.type = 'sent') <> 1
    OR count(e.id) FILTER (WHERE e.type = 'received') <> 1
    OR min(e.currency) <> max(e.currency)
    OR sum(e.amount) FILTER (WHERE e.type = 'received') <> sum(e.amount) FILTER (WHERE e.type = 'sent')
ORDER BY t.id
LIMIT 1
