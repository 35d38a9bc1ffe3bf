-- One row per day since a day: how many customers moved money.
SELECT
    d.day,
    d.active_customers,
    d.taken_at
FROM business_days AS d
WHERE d.day > %(since)s
ORDER BY d.day
