-- What no session may do to the ledger, the owner's included.
--
-- Plain triggers and one deferred key. They cost postings nothing but the key: rows are only inserted, and the trigger
-- on wallets is a WHEN clause that the executor evaluates without calling a function (refuse_change stands in accounts).

CREATE TRIGGER transfers_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON transfers
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER transactions_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON transactions
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER idempotency_keys_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON idempotency_keys
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A head is what its newest entry says. Deferred, because head and entry change in one transaction and point at each
-- other. While a wallet has no entry its sequence is null, the key is silent, and a CHECK wants everything zero.
ALTER TABLE wallets ADD CONSTRAINT wallets_head_is_an_entry
FOREIGN KEY (id, sequence, balance, total_received, total_sent)
REFERENCES transactions (wallet_id, sequence, balance_after, total_received_after, total_sent_after)
DEFERRABLE INITIALLY DEFERRED;

CREATE FUNCTION refuse_head() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public
AS $$
BEGIN
    RAISE EXCEPTION 'wallet % is refused: its money changes only with a new entry, and it keeps who it is', old.number
    USING ERRCODE = 'MM901';
END;
$$;

CREATE TRIGGER wallets_head_moves_forward
BEFORE UPDATE ON wallets
FOR EACH ROW
WHEN (
    new.sequence < old.sequence
    OR (new.sequence IS NULL AND old.sequence IS NOT NULL)
    OR (
        new.sequence IS NOT DISTINCT FROM old.sequence
        AND (
            new.balance <> old.balance
            OR new.total_received <> old.total_received
            OR new.total_sent <> old.total_sent
            OR new.received_count <> old.received_count
            OR new.sent_count <> old.sent_count
        )
    )
    OR new.last_entry_at < old.last_entry_at
    OR new.id <> old.id
    OR new.number <> old.number
    OR new.kind <> old.kind
    OR new.currency <> old.currency
    OR new.stripe <> old.stripe
    OR new.user_id IS DISTINCT FROM old.user_id
)
EXECUTE FUNCTION refuse_head();

-- Heads change with every posting: room on each page keeps those updates HOT (no index holds a changing column).
ALTER TABLE wallets SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

GRANT INSERT ON fee_rules TO :"app_role";
