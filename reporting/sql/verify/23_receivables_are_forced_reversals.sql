-- Each reversal that the bank paid to force it is owed in full by the customer who had received the money, and only he.
WITH forced AS (
    SELECT
        t.id,
        t.amount,
        t.currency,
        o.to_wallet_id AS debtor_id
    FROM transfers AS t
    INNER JOIN transfers AS o ON o.id = t.reverses_id
    INNER JOIN wallets AS payer ON payer.id = t.from_wallet_id
    INNER JOIN wallets AS debtor ON debtor.id = o.to_wallet_id
    WHERE t.kind = 'reversal' AND payer.kind = 'adjustments' AND debtor.kind = 'customer'
)

SELECT
    r.public_id AS receivable_id,
    coalesce(f.id, r.transfer_id) AS transfer_id,
    r.amount,
    f.amount AS transfer_amount,
    r.wallet_id,
    f.debtor_id,
    CASE
        WHEN r.id IS NULL THEN 'nobody owes it'
        WHEN f.id IS NULL THEN 'nothing was forced'
        ELSE 'the reversal says otherwise'
    END AS broken
FROM receivables AS r
FULL JOIN forced AS f ON f.id = r.transfer_id
WHERE
    r.id IS NULL
    OR f.id IS NULL
    OR r.amount <> f.amount
    OR r.currency <> f.currency
    OR r.wallet_id <> f.debtor_id
ORDER BY transfer_id
LIMIT 1
