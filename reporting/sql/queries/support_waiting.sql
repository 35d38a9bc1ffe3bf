-- One row for each priority: how many tickets of it wait for us, `most` at most, counted along the queue's own index.
-- Parameters: most.
SELECT
    p.priority,
    count(t.id) AS tickets
FROM (VALUES (1), (2), (3)) AS p (priority)
LEFT JOIN LATERAL (
    SELECT q.id
    FROM support_tickets AS q
    WHERE q.status = 'open' AND q.priority = p.priority
    ORDER BY q.waits_since, q.id
    LIMIT %(most)s
) AS t ON TRUE
GROUP BY p.priority
ORDER BY p.priority
