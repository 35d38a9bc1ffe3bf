-- What every wallet is from the start, and keeps. Triggers with WHEN rather than CHECKs: they are looked at when a row
-- is inserted or one of these columns is set, while a CHECK would be parsed anew with every posting.

CREATE FUNCTION refuse_wallet() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'wallet % is refused: %', new.number, tg_name USING ERRCODE = 'MM901', CONSTRAINT = tg_name;
END;
$$;

CREATE TRIGGER wallets_number_is_ten_digits
BEFORE INSERT ON wallets
FOR EACH ROW WHEN (new.number !~ '^[1-9][0-9]{9}$')
EXECUTE FUNCTION refuse_wallet();

CREATE TRIGGER wallets_currency_is_a_code
BEFORE INSERT ON wallets
FOR EACH ROW WHEN (new.currency !~ '^[A-Z]{3}$')
EXECUTE FUNCTION refuse_wallet();

CREATE TRIGGER wallets_kind_is_known
BEFORE INSERT ON wallets
FOR EACH ROW
WHEN (
    new.kind NOT IN (
        'customer', 'bank', 'voucher_liability', 'easypay_clearing', 'cashout_clearing', 'fee_income', 'vat_control',
        'suspense', 'adjustments'
    )
)
EXECUTE FUNCTION refuse_wallet();

CREATE TRIGGER wallets_customer_has_a_user
BEFORE INSERT ON wallets
FOR EACH ROW
WHEN ((new.kind = 'customer') <> (new.user_id IS NOT NULL) OR (new.kind = 'customer' AND new.stripe <> 0))
EXECUTE FUNCTION refuse_wallet();

CREATE TRIGGER wallets_no_entry_means_zero
BEFORE INSERT ON wallets
FOR EACH ROW
WHEN (
    new.sequence IS NULL
    AND (
        new.balance <> 0
        OR new.held <> 0
        OR new.total_received <> 0
        OR new.total_sent <> 0
        OR new.received_count <> 0
        OR new.sent_count <> 0
        OR new.spent_day_amount <> 0
        OR new.spent_month_amount <> 0
        OR new.spent_on IS NOT NULL
        OR new.last_entry_at IS NOT NULL
    )
)
EXECUTE FUNCTION refuse_wallet();

CREATE TRIGGER wallets_status_is_known
BEFORE INSERT OR UPDATE OF status ON wallets
FOR EACH ROW WHEN (new.status NOT IN ('active', 'frozen', 'closed'))
EXECUTE FUNCTION refuse_wallet();

-- And stays so: the kernel moves nothing into or out of a closed wallet.
CREATE TRIGGER wallets_closed_means_empty
BEFORE INSERT OR UPDATE OF status ON wallets
FOR EACH ROW WHEN (new.status = 'closed' AND (new.balance <> 0 OR new.held <> 0))
EXECUTE FUNCTION refuse_wallet();

CREATE TRIGGER wallets_keep_who_they_are
BEFORE UPDATE OF id, number, user_id, kind, stripe, currency ON wallets
FOR EACH ROW
WHEN (
    (new.id, new.number, new.user_id, new.kind, new.stripe, new.currency)
    IS DISTINCT FROM (old.id, old.number, old.user_id, old.kind, old.stripe, old.currency)
)
EXECUTE FUNCTION refuse_wallet();

-- The app opens wallets and changes their status. Their money changes in the kernel.
GRANT INSERT ON wallets TO :"app_role";
GRANT UPDATE (status) ON wallets TO :"app_role";
GRANT INSERT, UPDATE, DELETE ON tier_limits TO :"app_role";
