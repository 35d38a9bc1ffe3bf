-- One row: how many reports of tills nobody has acted on since.
SELECT count(*) AS count
FROM till_events AS t
WHERE t.result IS NULL AND t.received_at < %(at)s
