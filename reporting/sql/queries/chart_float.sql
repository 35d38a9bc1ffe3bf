-- One row per day since a day and currency: what the bank owed for live vouchers as the day ended, or owes now.
SELECT
    m.day,
    m.currency,
    m.voucher_float,
    d.taken_at
FROM business_day_money AS m
INNER JOIN business_days AS d ON d.day = m.day
WHERE m.day > %(since)s
ORDER BY m.currency, m.day
