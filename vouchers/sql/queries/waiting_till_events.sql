-- One row per till's report that nobody has acted on, received before a moment, the oldest first, from behind the last
-- one of the page before. Parameters: until, last_at, last_id, most.
SELECT
    e.id,
    e.received_at
FROM till_events AS e
WHERE
    e.result IS NULL
    AND e.received_at < %(until)s
    AND (e.received_at, e.id) > (%(last_at)s, %(last_id)s)
ORDER BY e.received_at, e.id
LIMIT %(most)s
