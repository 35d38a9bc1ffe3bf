-- A hold is resolved once, and stays what it was (refuse_change stands in accounts).
CREATE TRIGGER holds_are_resolved_once
BEFORE UPDATE ON holds
FOR EACH ROW
WHEN (
    old.status <> 'held'
    OR (
        new.id, new.public_id, new.wallet_id, new.amount, new.spent_amount, new.currency, new.purpose, new.expires_at,
        new.created_at
    ) IS DISTINCT FROM (
        old.id, old.public_id, old.wallet_id, old.amount, old.spent_amount, old.currency, old.purpose, old.expires_at,
        old.created_at
    )
)
EXECUTE FUNCTION refuse_change();

CREATE TRIGGER holds_stay
BEFORE DELETE OR TRUNCATE ON holds
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
