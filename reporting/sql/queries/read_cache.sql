-- One row: whether anybody may read the cache, in which epoch, and since when that is so, where it is known.
SELECT
    c.epoch,
    c.closed_at IS NOT NULL AS is_closed,
    CASE WHEN isfinite(c.opened_at) THEN c.opened_at END AS opened_at,
    CASE WHEN isfinite(c.closed_at) THEN c.closed_at END AS closed_at
FROM read_cache AS c
