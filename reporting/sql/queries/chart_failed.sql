-- One row per day since a day: orders of customers that were refused, for which reason most, and tills' payments that
-- went to suspense.
WITH refused AS (
    SELECT
        r.day,
        sum(r.count) AS orders,
        (array_agg(r.code ORDER BY r.count DESC, r.code ASC))[1] AS most
    FROM business_day_refusals AS r
    WHERE r.day > %(since)s
    GROUP BY r.day
)

SELECT
    d.day,
    coalesce(r.orders, 0) AS refused,
    r.most,
    d.set_aside,
    d.taken_at
FROM business_days AS d
LEFT JOIN refused AS r ON r.day = d.day
WHERE d.day > %(since)s
ORDER BY d.day
