-- One row per reason for which payments were refused on a day, the most frequent first, beside its average of the seven
-- days before (of a day on which it never came, nothing).
SELECT
    r.code,
    r.count,
    (
        SELECT coalesce(sum(w.count), 0) / 7.0
        FROM business_day_refusals AS w
        WHERE w.code = r.code AND w.day >= %(day)s::date - 7 AND w.day < %(day)s::date
    )::float8 AS average
FROM business_day_refusals AS r
WHERE r.day = %(day)s::date
ORDER BY r.count DESC, r.code ASC
