-- Only a frozen wallet was frozen by somebody. (refuse_wallet stands in wallet_rules_v1.sql.)
CREATE TRIGGER wallets_frozen_by_is_known
BEFORE INSERT OR UPDATE OF status, frozen_by ON wallets
FOR EACH ROW
WHEN (
    new.frozen_by IS NOT NULL
    AND (new.status <> 'frozen' OR new.kind <> 'customer' OR new.frozen_by NOT IN ('customer', 'bank'))
)
EXECUTE FUNCTION refuse_wallet();

GRANT UPDATE (frozen_by) ON wallets TO :"app_role";
