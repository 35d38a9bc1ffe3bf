-- What things cost and what tiers may do is decided by two people of finance, whoever writes: when a transaction of the
-- app's commits, each fee or limit it wrote is what a proposal says that it has approved itself.

-- A proposal says which transaction decided it, so that yesterday's approval is good for nothing today.
CREATE FUNCTION stamp_proposal() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    new.transaction_id := CASE WHEN new.status <> 'proposed' THEN pg_current_xact_id()::text::bigint END;
    RETURN new;
END;
$$;

CREATE TRIGGER proposals_name_their_transaction
BEFORE INSERT OR UPDATE ON proposals
FOR EACH ROW EXECUTE FUNCTION stamp_proposal();

CREATE FUNCTION require_two_of_finance() RETURNS trigger
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

CREATE CONSTRAINT TRIGGER tier_limits_change_by_two
AFTER INSERT OR UPDATE ON tier_limits
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION require_two_of_finance(
    'tier_limit', 'tier', 'currency', 'per_transfer_amount', 'per_day_amount', 'per_month_amount', 'highest_balance',
    'may_send', 'may_cash_out'
);

CREATE CONSTRAINT TRIGGER fee_rules_change_by_two
AFTER INSERT OR UPDATE ON fee_rules
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION require_two_of_finance(
    'fee_rule', 'kind', 'currency', 'fee_amount', 'vat_rate', 'valid_from'
);

-- A tier's limits are changed, and a new currency's added; which tier they are of, and that they are, stays.
REVOKE UPDATE, DELETE ON tier_limits FROM :"app_role";
GRANT UPDATE (
    per_transfer_amount, per_day_amount, per_month_amount, highest_balance, may_send, may_cash_out
) ON tier_limits TO :"app_role";
