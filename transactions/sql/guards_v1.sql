-- What no session may do to the ledger, the owner's included.
--
-- Plain triggers and one deferred key. They cost postings little but the key: rows are only inserted, and the trigger
-- on wallets is a WHEN clause, evaluated without calling a function. (refuse_change stands in accounts, refuse_wallet
-- in wallets.)

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
-- other. While a wallet has no entry its sequence is null, the key is silent, and everything is zero (wallets/sql).
ALTER TABLE wallets ADD CONSTRAINT wallets_head_is_an_entry
FOREIGN KEY (id, sequence, balance, total_received, total_sent)
REFERENCES transactions (wallet_id, sequence, balance_after, total_received_after, total_sent_after)
DEFERRABLE INITIALLY DEFERRED;

-- Its money changes only together with a higher sequence; so it cannot be set back, lose its sequence, or stand still;
-- and its time does not go back.
CREATE TRIGGER wallets_head_moves_forward
BEFORE UPDATE OF sequence, balance, total_received, total_sent, received_count, sent_count, last_entry_at ON wallets
FOR EACH ROW
WHEN ((new.sequence > coalesce(old.sequence, 0)) IS NOT TRUE OR new.last_entry_at < old.last_entry_at)
EXECUTE FUNCTION refuse_wallet();

-- Heads change with every posting: room on each page keeps those updates HOT (no index holds a changing column).
ALTER TABLE wallets SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

GRANT INSERT ON fee_rules TO :"app_role";
