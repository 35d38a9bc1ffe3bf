-- Each reversal takes back one transfer, once and in full, never a reversal; a forced one is paid by the bank.
SELECT
    r.id AS transfer_id,
    o.id AS reversed_id,
    r.amount,
    o.amount AS reversed_amount,
    r.broken
FROM (
    SELECT
        t.id,
        t.reverses_id,
        t.amount,
        t.currency,
        t.from_wallet_id,
        t.to_wallet_id,
        CASE WHEN count(*) OVER (PARTITION BY t.reverses_id) > 1 THEN 'taken back twice' ELSE 'no mirror' END AS broken
    FROM transfers AS t
    WHERE t.reverses_id IS NOT NULL
) AS r
LEFT JOIN transfers AS o ON o.id = r.reverses_id
LEFT JOIN wallets AS payer ON payer.id = r.from_wallet_id
LEFT JOIN wallets AS payee ON payee.id = r.to_wallet_id
LEFT JOIN wallets AS first_payer ON first_payer.id = o.from_wallet_id
LEFT JOIN wallets AS first_payee ON first_payee.id = o.to_wallet_id
WHERE
    r.broken = 'taken back twice'
    OR o.id IS NULL
    OR o.reverses_id IS NOT NULL
    OR r.amount <> o.amount
    OR r.currency <> o.currency
    -- The bank's own wallets have stripes; any of them may stand for the one that took part.
    OR NOT (payee.id = first_payer.id OR (payee.kind = first_payer.kind AND payee.kind <> 'customer'))
    OR NOT (
        payer.id = first_payee.id
        OR (payer.kind = first_payee.kind AND payer.kind <> 'customer')
        OR payer.kind = 'adjustments'
    )
ORDER BY r.id
LIMIT 1
