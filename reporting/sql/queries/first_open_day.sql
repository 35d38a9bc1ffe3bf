-- One row: the first day that is not closed yet; before any was taken, the day of the first transfer or identity check.
SELECT
    coalesce(
        (
            SELECT min(d.day)
            FROM business_days AS d
            WHERE NOT d.is_closed
        ),
        (SELECT max(d.day) + 1 FROM business_days AS d),
        (
            least(
                (SELECT min(t.created_at) FROM transfers AS t),
                (SELECT min(k.created_at) FROM kyc_submissions AS k)
            ) AT TIME ZONE 'Africa/Johannesburg'
        )::date
    ) AS day
