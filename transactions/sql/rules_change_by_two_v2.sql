-- As in v1, and more: what is approved was proposed in an earlier transaction, and the audit trail says who approved.

-- A proposal says which transaction made it and which decided it: one cannot do both, and yesterday's approval is good
-- for nothing today. One that is older than the column was made before.
CREATE OR REPLACE FUNCTION stamp_proposal() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    new.transaction_id := CASE WHEN new.status <> 'proposed' THEN pg_current_xact_id()::text::bigint END;
    IF tg_op = 'INSERT' THEN
        new.proposed_transaction_id := pg_current_xact_id()::text::bigint;
    ELSE
        new.proposed_transaction_id := old.proposed_transaction_id;
    END IF;
    RETURN new;
END;
$$;

CREATE OR REPLACE FUNCTION require_two_of_finance() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    -- Who migrates writes down what a release begins with; nobody else owns the table.
    IF (SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class AS c WHERE c.oid = tg_relid) THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (
        SELECT 1
        FROM proposals AS p
        CROSS JOIN LATERAL (SELECT to_jsonb(new) AS written) AS n
        WHERE
            p.transaction_id = pg_current_xact_id()::text::bigint
            AND p.proposed_transaction_id IS DISTINCT FROM p.transaction_id
            AND p.status = 'approved'
            AND p.result_kind = tg_argv[0]
            AND p.result_id = new.id::text
            -- What was proposed is told as text, absent amounts as nothing; 5.50 and 5.5 are one amount.
            AND NOT EXISTS (
                SELECT 1
                FROM unnest(tg_argv[1:]) AS c (name)
                WHERE
                    NOT p.arguments ? c.name
                    OR CASE
                        WHEN c.name = 'valid_from'
                            THEN (p.arguments ->> c.name)::timestamptz IS DISTINCT FROM (n.written ->> c.name)::timestamptz
                        WHEN c.name LIKE '%\_amount' OR c.name IN ('highest_balance', 'vat_rate', 'tier')
                            THEN nullif(p.arguments ->> c.name, '')::numeric IS DISTINCT FROM (n.written ->> c.name)::numeric
                        ELSE p.arguments ->> c.name IS DISTINCT FROM n.written ->> c.name
                    END
            )
            AND EXISTS (
                SELECT 1
                FROM audit_events AS e
                WHERE
                    e.subject_type = 'proposal'
                    AND e.subject_id = p.public_id::text
                    AND e.verb = 'proposal.approved'
                    AND e.actor_id = p.decided_by_id
                    AND e.transaction_id = p.transaction_id
            )
            AND 2 = (
                SELECT count(DISTINCT u.id)
                FROM users AS u
                INNER JOIN users_groups AS m ON m.user_id = u.id
                INNER JOIN auth_group AS g ON g.id = m.group_id
                WHERE
                    u.id IN (p.proposed_by_id, p.decided_by_id)
                    AND u.is_staff
                    AND u.status = 'active'
                    AND g.name = 'finance'
            )
    ) THEN
        RAISE EXCEPTION '% % is refused: no two people of finance decided it in this transaction', tg_table_name, new.id
            USING ERRCODE = 'MM901', CONSTRAINT = tg_name;
    END IF;
    RETURN NULL;
END;
$$;
