-- One row per day since a day and currency: what went into, out of and between customers' wallets.
SELECT
    m.day,
    m.currency,
    m.in_amount,
    m.out_amount,
    m.between_amount,
    d.taken_at
FROM business_day_money AS m
INNER JOIN business_days AS d ON d.day = m.day
WHERE m.day > %(since)s
ORDER BY m.currency, m.day
