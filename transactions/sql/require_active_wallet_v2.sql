-- The wallet stays as it was found until the caller's transaction ends: whoever closes it meanwhile waits, and then
-- sees what was made, or has closed it before, and the caller is refused.
CREATE OR REPLACE FUNCTION require_active_wallet(p_wallet bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    v_wallet record;
BEGIN
    SELECT w.status, u.status AS user_status
    INTO v_wallet
    FROM wallets AS w
    INNER JOIN users AS u ON u.id = w.user_id
    WHERE w.id = p_wallet
    FOR SHARE OF w;
    IF NOT found THEN
        PERFORM refuse('MM010', 'unknown_wallet');
    END IF;
    IF v_wallet.status <> 'active' OR v_wallet.user_status <> 'active' THEN
        PERFORM refuse_inactive('payer', v_wallet.status, v_wallet.user_status);
    END IF;
END;
$$;
