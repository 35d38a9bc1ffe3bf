-- A wallet is not closed while its owner owes the bank something: what is collected comes out of it. A receivable may
-- still be opened on a closed one, when money is taken back that went through it.
CREATE FUNCTION refuse_closing_of_debtor() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM receivables AS r WHERE r.wallet_id = new.id AND r.collected_amount < r.amount
    ) THEN
        RAISE EXCEPTION 'wallet % is refused: %', new.number, tg_name USING ERRCODE = 'MM901', CONSTRAINT = tg_name;
    END IF;
    RETURN new;
END;
$$;

CREATE TRIGGER wallets_closed_owes_nothing
BEFORE UPDATE OF status ON wallets
FOR EACH ROW WHEN (new.status = 'closed' AND old.status <> 'closed')
EXECUTE FUNCTION refuse_closing_of_debtor();
