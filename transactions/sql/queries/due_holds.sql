-- One row per hold that is held past its time, the longest overdue first, from behind the last one of the page before.
SELECT
    h.id,
    h.expires_at
FROM holds AS h
WHERE
    h.status = 'held'
    AND h.expires_at <= %(now)s
    AND h.expires_at >= %(last_at)s
    AND (h.expires_at, h.id) > (%(last_at)s, %(last_id)s)
ORDER BY h.expires_at, h.id
LIMIT %(most)s
