-- Each transfer moves a positive amount of at most two decimals between two different wallets.
WITH fresh AS MATERIALIZED (
    SELECT
        f.id,
        f.amount,
        f.currency,
        f.from_wallet_id,
        f.to_wallet_id
    FROM transfers AS f
    WHERE f.created_at >= %(since)s
),

broken AS MATERIALIZED (
    SELECT
        t.id AS transfer_id,
        t.amount,
        t.currency,
        t.from_wallet_id,
        t.to_wallet_id
    FROM fresh AS t
    WHERE
        NOT (t.amount > 0 AND scale(trim_scale(t.amount)) <= 2 AND t.amount < 1e17)
        OR t.from_wallet_id = t.to_wallet_id
)

SELECT
    b.transfer_id,
    b.amount,
    b.currency,
    b.from_wallet_id,
    b.to_wallet_id
FROM broken AS b
ORDER BY b.transfer_id
LIMIT 1
