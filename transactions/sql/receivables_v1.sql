-- What customers owe the bank: the app opens receivables and collects them, and never forgets one.
CREATE TRIGGER receivables_only_fall
BEFORE UPDATE ON receivables
FOR EACH ROW
WHEN (
    new.collected_amount < old.collected_amount
    OR (
        new.id, new.public_id, new.wallet_id, new.transfer_id, new.amount, new.currency, new.created_at
    ) IS DISTINCT FROM (
        old.id, old.public_id, old.wallet_id, old.transfer_id, old.amount, old.currency, old.created_at
    )
)
EXECUTE FUNCTION refuse_change();

CREATE TRIGGER receivables_stay
BEFORE DELETE OR TRUNCATE ON receivables
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER receivable_collections_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON receivable_collections
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT INSERT ON receivables, receivable_collections TO :"app_role";
GRANT UPDATE (collected_amount) ON receivables TO :"app_role";
