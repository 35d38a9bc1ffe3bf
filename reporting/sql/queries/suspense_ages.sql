-- One row per currency and direction of what is open in suspense: how much of it is how old. Along the index of open
-- items, whatever was resolved before.
SELECT
    s.currency,
    s.direction,
    count(*) FILTER (WHERE s.created_at > %(at)s - interval '1 day') AS day_count,
    coalesce(sum(s.amount) FILTER (WHERE s.created_at > %(at)s - interval '1 day'), 0) AS day_amount,
    count(*) FILTER (
        WHERE s.created_at <= %(at)s - interval '1 day' AND s.created_at > %(at)s - interval '7 days'
    ) AS week_count,
    coalesce(
        sum(s.amount) FILTER (
            WHERE s.created_at <= %(at)s - interval '1 day' AND s.created_at > %(at)s - interval '7 days'
        ), 0
    ) AS week_amount,
    count(*) FILTER (
        WHERE s.created_at <= %(at)s - interval '7 days' AND s.created_at > %(at)s - interval '30 days'
    ) AS month_count,
    coalesce(
        sum(s.amount) FILTER (
            WHERE s.created_at <= %(at)s - interval '7 days' AND s.created_at > %(at)s - interval '30 days'
        ), 0
    ) AS month_amount,
    count(*) FILTER (WHERE s.created_at <= %(at)s - interval '30 days') AS older_count,
    coalesce(sum(s.amount) FILTER (WHERE s.created_at <= %(at)s - interval '30 days'), 0) AS older_amount,
    count(*) AS total_count,
    sum(s.amount) AS total_amount
FROM suspense_items AS s
WHERE s.resolved_at IS NULL
GROUP BY s.currency, s.direction
ORDER BY s.currency, s.direction
