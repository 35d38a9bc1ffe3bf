-- One row, one JSON: what each kind of service costs at a moment, VAT half up to the cent, for who is a customer.
-- Parameters: user (public id), at.
WITH costs AS (
    SELECT DISTINCT ON (r.kind, r.currency)
        r.kind,
        r.currency,
        r.fee_amount,
        round(r.fee_amount * r.vat_rate, 2) AS vat_amount
    FROM fee_rules AS r
    WHERE r.valid_from <= %(at)s
    ORDER BY r.kind ASC, r.currency ASC, r.valid_from DESC
)

SELECT
    json_build_object(
        'state', 'some',
        'fees', coalesce(
            (
                SELECT
                    json_agg(
                        json_build_object(
                            'kind', c.kind,
                            'currency', c.currency,
                            'fee_amount', c.fee_amount::text,
                            'vat_amount', c.vat_amount::text,
                            'total_amount', (c.fee_amount + c.vat_amount)::text
                        )
                        ORDER BY c.kind, c.currency
                    )
                FROM costs AS c
            ),
            '[]'::json
        )
    )::text AS data
FROM users AS p
WHERE p.public_id = %(user)s
