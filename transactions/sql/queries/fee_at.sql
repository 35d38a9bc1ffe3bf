-- One row, if a rule is in force at the moment: what a kind of service costs, and the VAT on it, half up to the cent. A
-- rule is in force from its first moment until the next one begins.
SELECT
    r.fee_amount,
    round(r.fee_amount * r.vat_rate, 2) AS vat_amount
FROM fee_rules AS r
WHERE r.kind = %(kind)s AND r.currency = %(currency)s AND r.valid_from <= %(at)s
ORDER BY r.valid_from DESC
LIMIT 1
