-- Holding money back and freeing it again; post_transfers_v2.sql captures. Refusals are those of the kernel.
-- Locks are taken in the order hold, wallet.

-- Hold back `p_amount` of a customer's money: it stays his, and cannot be spent otherwise until the hold is resolved.
-- `p_spent_amount` of it counts against his limits now, if `p_check_limits` says of what kind ('send', 'cash_out').
-- `p_expires_at` null: whoever placed it decides. Returns the moment.
CREATE FUNCTION place_hold(
    p_id bigint,
    p_public_id uuid,
    p_wallet bigint,
    p_amount numeric,
    p_currency text,
    p_purpose text,
    p_expires_at timestamptz,
    p_check_limits text,
    p_spent_amount numeric,
    p_at timestamptz
) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    v_wallet record;
    v_at timestamptz;
    v_today date;
    v_spent numeric[];
    v_spent_on date;
BEGIN
    PERFORM refuse_unless_amount(p_amount);
    SELECT w.last_entry_at INTO v_at FROM wallets AS w WHERE w.id = p_wallet AND w.kind = 'customer' FOR NO KEY UPDATE;
    IF NOT found THEN
        PERFORM refuse('MM010', 'unknown_wallet');
    END IF;
    v_at := greatest(v_at, coalesce(p_at, clock_timestamp()));
    v_today := (v_at AT TIME ZONE 'Africa/Johannesburg')::date;
    SELECT
        w.currency, w.status, w.balance - w.held AS available,
        w.spent_on, w.spent_day_amount, w.spent_month_amount, u.status AS user_status, u.kyc_tier,
        l.per_transfer_amount, l.per_day_amount, l.per_month_amount,
        CASE p_check_limits WHEN 'send' THEN l.may_send ELSE l.may_cash_out END AS permitted
    INTO v_wallet
    FROM wallets AS w
    INNER JOIN users AS u ON u.id = w.user_id
    LEFT JOIN tier_limits AS l ON l.tier = u.kyc_tier AND l.currency = w.currency
    WHERE w.id = p_wallet;
    IF v_wallet.currency <> p_currency THEN
        PERFORM refuse(
            'MM006', 'wrong_currency', jsonb_build_object('payer', v_wallet.currency, 'payee', p_currency)
        );
    END IF;
    IF v_wallet.status <> 'active' OR v_wallet.user_status <> 'active' THEN
        PERFORM refuse_inactive('payer', v_wallet.status, v_wallet.user_status);
    END IF;
    v_spent := ARRAY[v_wallet.spent_day_amount, v_wallet.spent_month_amount];
    v_spent_on := v_wallet.spent_on;
    IF p_check_limits IS NOT NULL THEN
        PERFORM refuse_unless_amount(p_spent_amount);
        v_spent := spent_with(
            p_spent_amount, v_today, v_wallet.spent_on, v_wallet.spent_day_amount, v_wallet.spent_month_amount,
            v_wallet.kyc_tier, v_wallet.permitted,
            v_wallet.per_transfer_amount, v_wallet.per_day_amount, v_wallet.per_month_amount
        );
        v_spent_on := v_today;
    END IF;
    IF v_wallet.available < p_amount THEN
        PERFORM refuse(
            'MM003',
            'insufficient_funds',
            jsonb_build_object('available', v_wallet.available::text, 'needed', p_amount::text)
        );
    END IF;

    UPDATE wallets AS w
    SET
        held = w.held + p_amount,
        spent_on = v_spent_on,
        spent_day_amount = v_spent[1],
        spent_month_amount = v_spent[2]
    WHERE w.id = p_wallet;
    INSERT INTO holds (
        id, public_id, wallet_id, amount, spent_amount, currency, status, purpose, expires_at, created_at
    )
    VALUES (
        p_id, p_public_id, p_wallet, p_amount, CASE WHEN p_check_limits IS NULL THEN 0 ELSE p_spent_amount END,
        p_currency, 'held', p_purpose, p_expires_at, v_at
    );
    RETURN v_at;
END;
$$;

-- Free what is held, `p_status` being why: 'voided' or 'expired'. What it had counted against limits is given back.
-- Before its time a hold does not expire: hold_resolved, with the status it still has. Returns the moment.
CREATE FUNCTION void_hold(p_id bigint, p_status text, p_check_active boolean, p_at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    v_hold holds;
    v_at timestamptz;
    v_wallet record;
    v_spent numeric[];
BEGIN
    v_hold := lock_hold(p_id);
    SELECT w.last_entry_at INTO v_at FROM wallets AS w WHERE w.id = v_hold.wallet_id FOR NO KEY UPDATE;
    v_at := greatest(v_at, coalesce(p_at, clock_timestamp()));
    SELECT w.status, w.spent_on, w.spent_day_amount, w.spent_month_amount, u.status AS user_status
    INTO v_wallet
    FROM wallets AS w
    INNER JOIN users AS u ON u.id = w.user_id
    WHERE w.id = v_hold.wallet_id;
    IF p_check_active AND (v_wallet.status <> 'active' OR v_wallet.user_status <> 'active') THEN
        PERFORM refuse_inactive('payer', v_wallet.status, v_wallet.user_status);
    END IF;
    IF p_status = 'expired' AND v_hold.expires_at > v_at THEN
        PERFORM refuse('MM014', 'hold_resolved', jsonb_build_object('status', v_hold.status));
    END IF;
    v_spent := spent_without(
        v_hold.spent_amount, v_hold.created_at, v_wallet.spent_on, v_wallet.spent_day_amount,
        v_wallet.spent_month_amount
    );
    UPDATE wallets AS w
    SET held = w.held - v_hold.amount, spent_day_amount = v_spent[1], spent_month_amount = v_spent[2]
    WHERE w.id = v_hold.wallet_id;
    UPDATE holds AS h SET status = p_status, resolved_at = v_at WHERE h.id = p_id;
    RETURN v_at;
END;
$$;

-- Free a hold whose time has come. False, and nothing done: it is resolved, not due, or somebody is at it. So that any
-- number of sweeps can run at once, each hold a transaction of its own.
CREATE FUNCTION expire_hold(p_id bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM
    FROM holds AS h
    WHERE h.id = p_id AND h.status = 'held' AND h.expires_at <= clock_timestamp()
    FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT found THEN
        RETURN false;
    END IF;
    PERFORM void_hold(p_id, 'expired', false, NULL);
    RETURN true;
END;
$$;

-- Refuse, as a posting would, what the owner of a wallet asks for while it or he is not active, though no money moves.
CREATE FUNCTION require_active_wallet(p_wallet bigint) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    v_wallet record;
BEGIN
    SELECT w.status, u.status AS user_status
    INTO v_wallet
    FROM wallets AS w
    INNER JOIN users AS u ON u.id = w.user_id
    WHERE w.id = p_wallet;
    IF NOT found THEN
        PERFORM refuse('MM010', 'unknown_wallet');
    END IF;
    IF v_wallet.status <> 'active' OR v_wallet.user_status <> 'active' THEN
        PERFORM refuse_inactive('payer', v_wallet.status, v_wallet.user_status);
    END IF;
END;
$$;

GRANT EXECUTE ON FUNCTION place_hold, void_hold, expire_hold, require_active_wallet TO :"app_role";
-- A voucher names its hold before it is placed, since vouchers are locked before wallets.
GRANT USAGE ON SEQUENCE holds_id_seq TO :"app_role";
