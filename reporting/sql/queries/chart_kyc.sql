-- One row per day since a day: identity checks that were approved, rejected, and that waited as it ended.
SELECT
    d.day,
    d.kyc_approved,
    d.kyc_rejected,
    d.kyc_waiting,
    d.taken_at
FROM business_days AS d
WHERE d.day > %(since)s
ORDER BY d.day
