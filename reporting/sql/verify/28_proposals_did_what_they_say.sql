-- Each approved proposal and what it made name each other and the same two people; no other proposal made anything.
WITH made AS (
    SELECT
        k.key,
        k.produced_kind,
        k.produced_id
    FROM idempotency_keys AS k
    WHERE k.actor = 'finance' AND k.key LIKE 'proposal:%'
),

told AS (
    SELECT
        p.public_id AS proposal_id,
        p.command,
        p.status,
        p.result_kind,
        p.result_id,
        m.key AS idempotency_key,
        m.produced_kind,
        m.produced_id,
        CASE
            WHEN p.id IS NULL THEN 'nobody proposed it'
            WHEN p.status <> 'approved' AND m.key IS NOT NULL THEN 'it did something, and nobody approved it'
            WHEN p.status <> 'approved' THEN NULL
            WHEN p.result_kind = 'fee_rule' AND (
                f.kind = p.arguments ->> 'kind'
                AND f.currency = p.arguments ->> 'currency'
                AND f.fee_amount = (p.arguments ->> 'fee_amount')::numeric
                AND f.vat_rate = (p.arguments ->> 'vat_rate')::numeric
                AND f.valid_from = (p.arguments ->> 'valid_from')::timestamptz
            ) IS NOT TRUE THEN 'its fee is another'
            WHEN p.result_kind = 'tier_limit' AND l.id IS NULL THEN 'its limit is gone'
            WHEN p.result_kind IN ('fee_rule', 'tier_limit') THEN NULL
            WHEN m.key IS NULL THEN 'it did nothing'
            WHEN (
                m.produced_kind = CASE p.result_kind WHEN 'receivable' THEN 'transfer' ELSE p.result_kind END
                AND m.produced_id::text = coalesce(r.transfer_id::text, p.result_id)
            ) IS NOT TRUE THEN 'it made something else'
            WHEN EXISTS (
                SELECT 1
                FROM transfers AS t
                WHERE
                    (t.group_id = m.produced_id OR t.id = m.produced_id)
                    AND (t.initiated_by_id = p.proposed_by_id AND t.approved_by_id = p.decided_by_id) IS NOT TRUE
            ) THEN 'two others decided it'
        END AS broken
    FROM proposals AS p
    FULL JOIN made AS m ON m.key = 'proposal:' || p.public_id::text
    LEFT JOIN fee_rules AS f ON p.result_kind = 'fee_rule' AND f.id::text = p.result_id
    LEFT JOIN tier_limits AS l ON p.result_kind = 'tier_limit' AND l.id::text = p.result_id
    LEFT JOIN receivables AS r ON p.result_kind = 'receivable' AND r.public_id::text = p.result_id
)

SELECT
    t.proposal_id,
    t.command,
    t.status,
    t.result_kind,
    t.result_id,
    t.idempotency_key,
    t.produced_kind,
    t.produced_id,
    t.broken
FROM told AS t
WHERE t.broken IS NOT NULL
ORDER BY t.proposal_id, t.idempotency_key
LIMIT 1
