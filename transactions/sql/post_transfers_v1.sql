-- The posting kernel: the only writer of transfers, transactions and the money of wallets.
--
-- Amounts are numeric, in major units of `currency`. Refusals are SQLSTATEs of class MM, with facts as JSON in DETAIL:
--   MM001 wallet_not_active     MM005 balance_too_high    MM009 not_permitted (by tier)
--   MM002 same_wallet           MM006 wrong_currency      MM010 unknown_wallet
--   MM003 insufficient_funds    MM007 key_reused          MM011 user_not_active
--   MM004 limit_exceeded        MM008 invalid_amount

-- One leg of a posting. The last three say what this step demands of customers' wallets (design: table of legs):
-- check_active of both ends; check_limits 'send' or 'cash_out' of the sender; check_ceiling of the receiver.
CREATE TYPE posting_leg AS (
    id uuid,
    kind text,
    from_wallet bigint,
    to_wallet bigint,
    amount numeric,
    currency text,
    reference text,
    reverses uuid,
    metadata jsonb,
    check_active boolean,
    check_limits text,
    check_ceiling boolean
);

-- The id of one stripe of a house wallet.
CREATE FUNCTION house_wallet(p_kind text, p_currency text, p_stripe bigint) RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, public
RETURN (
    SELECT w.id
    FROM wallets AS w
    WHERE w.kind = p_kind AND w.currency = p_currency AND w.stripe = p_stripe % 16 AND w.kind <> 'customer'
);

-- Claim `p_key` for what this transaction is about to make. Null: claimed, go on. Otherwise the id of what the first
-- request made. A key in flight is waited for (lock_timeout); a transaction that rolls back leaves its key free.
CREATE FUNCTION claim_idempotency_key(
    p_actor text,
    p_key text,
    p_request_hash bytea,
    p_produced_kind text,
    p_produced_id uuid
) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
DECLARE
    v_hash bytea;
    v_produced_id uuid;
BEGIN
    INSERT INTO idempotency_keys (actor, key, request_hash, produced_kind, produced_id, created_at)
    VALUES (p_actor, p_key, p_request_hash, p_produced_kind, p_produced_id, clock_timestamp())
    ON CONFLICT (actor, key) DO NOTHING;
    IF found THEN
        RETURN NULL;
    END IF;

    SELECT k.request_hash, k.produced_id
    INTO STRICT v_hash, v_produced_id
    FROM idempotency_keys AS k
    WHERE k.actor = p_actor AND k.key = p_key;
    IF v_hash <> p_request_hash THEN
        RAISE EXCEPTION 'key_reused' USING ERRCODE = 'MM007';
    END IF;
    RETURN v_produced_id;
END;
$$;

CREATE FUNCTION refuse(p_state text, p_message text, p_facts jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public
AS $$
BEGIN
    RAISE EXCEPTION '%', p_message USING ERRCODE = p_state, DETAIL = p_facts::text;
END;
$$;

-- Post a group of legs: all of it, once for each key, or nothing.
-- Returns one row per leg in their order; the same rows, marked as a replay, when the key was used before.
CREATE FUNCTION post_transfers(
    p_legs posting_leg [],
    p_actor text,
    p_key text,
    p_request_hash bytea,
    p_initiated_by bigint,
    p_at timestamptz DEFAULT NULL
) RETURNS TABLE (
    transfer_id uuid,
    from_sequence bigint,
    from_balance_after numeric,
    to_sequence bigint,
    to_balance_after numeric,
    posted_at timestamptz,
    replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
#variable_conflict use_column
DECLARE
    v_group_id CONSTANT uuid := p_legs[1].id;
    v_first_id uuid;
    v_wallet_ids bigint[];
    v_wallet_id bigint;
    v_wallets wallets[];
    v_leg posting_leg;
    v_payer int;
    v_payee int;
    v_from wallets;
    v_to wallets;
    v_at timestamptz;
    v_latest timestamptz;
    v_today date;
    v_user_status text;
    v_limit tier_limits;
    v_day numeric;
    v_month numeric;
BEGIN
    -- 1. The key, before any other check: a repeat gets its first answer whatever has changed since.
    IF p_key IS NOT NULL THEN
        v_first_id := claim_idempotency_key(p_actor, p_key, p_request_hash, 'transfer', v_group_id);
        IF v_first_id IS NOT NULL THEN
            RETURN QUERY SELECT p.* FROM posted_group(v_first_id) AS p;
            RETURN;
        END IF;
    END IF;

    -- 2. The wallets, in ascending id, one statement each.
    IF cardinality(p_legs) = 1 THEN
        v_wallet_ids := ARRAY[
            least(p_legs[1].from_wallet, p_legs[1].to_wallet), greatest(p_legs[1].from_wallet, p_legs[1].to_wallet)
        ];
    ELSE
        v_wallet_ids := ARRAY(
            SELECT l.from_wallet FROM unnest(p_legs) AS l
            UNION
            SELECT l.to_wallet FROM unnest(p_legs) AS l
            ORDER BY 1
        );
    END IF;
    FOREACH v_wallet_id IN ARRAY v_wallet_ids LOOP
        SELECT w.* INTO v_from FROM wallets AS w WHERE w.id = v_wallet_id FOR NO KEY UPDATE;
        IF NOT found THEN
            PERFORM refuse('MM010', 'unknown_wallet', jsonb_build_object('wallet_id', v_wallet_id));
        END IF;
        v_wallets := v_wallets || v_from;
        v_latest := greatest(v_latest, v_from.last_entry_at);
    END LOOP;
    v_at := greatest(coalesce(p_at, clock_timestamp()), v_latest);
    v_today := (v_at AT TIME ZONE 'Africa/Johannesburg')::date;

    -- 3. and 4. Each leg: what it demands, then its transfer, its heads and its two entries.
    FOREACH v_leg IN ARRAY p_legs LOOP
        v_payer := array_position(v_wallet_ids, v_leg.from_wallet);
        v_payee := array_position(v_wallet_ids, v_leg.to_wallet);
        v_from := v_wallets[v_payer];
        v_to := v_wallets[v_payee];

        -- NaN and infinity sort above every number, so the upper bound refuses them too.
        IF v_leg.amount IS NULL
            OR v_leg.amount <= 0
            OR v_leg.amount > 99999999999999999.99
            OR scale(trim_scale(v_leg.amount)) > 2
        THEN
            PERFORM refuse('MM008', 'invalid_amount', '{}');
        END IF;
        IF v_payer = v_payee THEN
            PERFORM refuse('MM002', 'same_wallet', '{}');
        END IF;
        IF v_from.currency <> v_leg.currency OR v_to.currency <> v_leg.currency THEN
            PERFORM refuse(
                'MM006', 'wrong_currency', jsonb_build_object('payer', v_from.currency, 'payee', v_to.currency)
            );
        END IF;
        IF v_leg.check_active AND v_from.status <> 'active' THEN
            PERFORM refuse(
                'MM001', 'wallet_not_active', jsonb_build_object('end', 'payer', 'status', v_from.status)
            );
        END IF;
        IF v_leg.check_active AND v_to.status <> 'active' THEN
            PERFORM refuse(
                'MM001', 'wallet_not_active', jsonb_build_object('end', 'payee', 'status', v_to.status)
            );
        END IF;

        IF v_from.kind = 'customer' THEN
            IF v_leg.check_active OR v_leg.check_limits IS NOT NULL THEN
                SELECT u.status INTO STRICT v_user_status FROM users AS u WHERE u.id = v_from.user_id;
                IF v_leg.check_active AND v_user_status <> 'active' THEN
                    PERFORM refuse('MM011', 'user_not_active', jsonb_build_object('end', 'payer'));
                END IF;
            END IF;
            IF v_leg.check_limits IS NOT NULL THEN
                SELECT l.* INTO v_limit
                FROM users AS u
                LEFT JOIN tier_limits AS l ON l.tier = u.kyc_tier AND l.currency = v_from.currency
                WHERE u.id = v_from.user_id;
                v_day := CASE WHEN v_from.spent_on = v_today THEN v_from.spent_day_amount ELSE 0 END;
                v_month := CASE
                    WHEN date_trunc('month', v_from.spent_on) = date_trunc('month', v_today)
                        THEN v_from.spent_month_amount
                    ELSE 0
                END;
                PERFORM check_spend(v_limit, v_leg, v_day, v_month);
                v_from.spent_on := v_today;
                v_from.spent_day_amount := v_day + v_leg.amount;
                v_from.spent_month_amount := v_month + v_leg.amount;
            END IF;
            IF v_from.balance - v_from.held < v_leg.amount THEN
                PERFORM refuse(
                    'MM003',
                    'insufficient_funds',
                    jsonb_build_object('available', (v_from.balance - v_from.held)::text, 'needed', v_leg.amount::text)
                );
            END IF;
        END IF;

        INSERT INTO transfers (
            id,
            kind,
            from_wallet_id,
            to_wallet_id,
            amount,
            currency,
            reference,
            group_id,
            initiated_by_id,
            reverses_id,
            metadata,
            created_at
        )
        VALUES (
            v_leg.id,
            v_leg.kind,
            v_leg.from_wallet,
            v_leg.to_wallet,
            v_leg.amount,
            v_leg.currency,
            v_leg.reference,
            v_group_id,
            p_initiated_by,
            v_leg.reverses,
            v_leg.metadata,
            v_at
        );

        UPDATE wallets AS w
        SET
            balance = w.balance - v_leg.amount,
            total_sent = w.total_sent + v_leg.amount,
            sent_count = w.sent_count + 1,
            sequence = coalesce(w.sequence, 0) + 1,
            last_entry_at = v_at,
            spent_on = v_from.spent_on,
            spent_day_amount = v_from.spent_day_amount,
            spent_month_amount = v_from.spent_month_amount
        WHERE w.id = v_leg.from_wallet
        RETURNING w.* INTO v_from;
        v_wallets[v_payer] := v_from;

        UPDATE wallets AS w
        SET
            balance = w.balance + v_leg.amount,
            total_received = w.total_received + v_leg.amount,
            received_count = w.received_count + 1,
            sequence = coalesce(w.sequence, 0) + 1,
            last_entry_at = v_at
        WHERE w.id = v_leg.to_wallet
        RETURNING w.* INTO v_to;
        v_wallets[v_payee] := v_to;

        INSERT INTO transactions (
            transfer_id,
            wallet_id,
            user_id,
            type,
            amount,
            currency,
            sequence,
            balance_after,
            total_received_after,
            total_sent_after,
            created_at
        )
        VALUES (
            v_leg.id,
            v_from.id,
            v_from.user_id,
            'sent',
            v_leg.amount,
            v_leg.currency,
            v_from.sequence,
            v_from.balance,
            v_from.total_received,
            v_from.total_sent,
            v_at
        );
        INSERT INTO transactions (
            transfer_id,
            wallet_id,
            user_id,
            type,
            amount,
            currency,
            sequence,
            balance_after,
            total_received_after,
            total_sent_after,
            created_at
        )
        VALUES (
            v_leg.id,
            v_to.id,
            v_to.user_id,
            'received',
            v_leg.amount,
            v_leg.currency,
            v_to.sequence,
            v_to.balance,
            v_to.total_received,
            v_to.total_sent,
            v_at
        );

        transfer_id := v_leg.id;
        from_sequence := v_from.sequence;
        from_balance_after := v_from.balance;
        to_sequence := v_to.sequence;
        to_balance_after := v_to.balance;
        posted_at := v_at;
        replayed := false;
        RETURN NEXT;
    END LOOP;

    -- The receiver's highest balance counts at the end of the group: fees it pays out of the money are already gone.
    FOREACH v_leg IN ARRAY p_legs LOOP
        v_to := v_wallets[array_position(v_wallet_ids, v_leg.to_wallet)];
        IF v_to.kind = 'customer' AND (v_leg.check_ceiling OR v_leg.check_active) THEN
            SELECT u.status, l.highest_balance INTO STRICT v_user_status, v_limit.highest_balance
            FROM users AS u
            LEFT JOIN tier_limits AS l ON l.tier = u.kyc_tier AND l.currency = v_to.currency
            WHERE u.id = v_to.user_id;
            IF v_leg.check_active AND v_user_status <> 'active' THEN
                PERFORM refuse('MM011', 'user_not_active', jsonb_build_object('end', 'payee'));
            END IF;
            IF v_leg.check_ceiling AND v_to.balance > coalesce(v_limit.highest_balance, 0) THEN
                PERFORM refuse(
                    'MM005', 'balance_too_high', jsonb_build_object('highest', v_limit.highest_balance::text)
                );
            END IF;
        END IF;
    END LOOP;
END;
$$;

-- What a tier allows a wallet to spend now, given what it spent today and this month.
CREATE FUNCTION check_spend(p_limit tier_limits, p_leg posting_leg, p_day numeric, p_month numeric) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, public
AS $$
DECLARE
    v_period text;
    v_limit numeric;
    v_left numeric;
BEGIN
    IF NOT coalesce(CASE p_leg.check_limits
        WHEN 'send' THEN p_limit.may_send
        WHEN 'cash_out' THEN p_limit.may_cash_out
    END, false) THEN
        PERFORM refuse('MM009', 'not_permitted', jsonb_build_object('tier', p_limit.tier, 'to', p_leg.check_limits));
    END IF;
    IF p_leg.amount > p_limit.per_transfer_amount THEN
        v_period := 'transfer';
        v_limit := p_limit.per_transfer_amount;
        v_left := v_limit;
    ELSIF p_day + p_leg.amount > p_limit.per_day_amount THEN
        v_period := 'day';
        v_limit := p_limit.per_day_amount;
        v_left := greatest(v_limit - p_day, 0);
    ELSIF p_month + p_leg.amount > p_limit.per_month_amount THEN
        v_period := 'month';
        v_limit := p_limit.per_month_amount;
        v_left := greatest(v_limit - p_month, 0);
    ELSE
        RETURN;
    END IF;
    PERFORM refuse(
        'MM004',
        'limit_exceeded',
        jsonb_build_object('period', v_period, 'limit', v_limit::text, 'left', v_left::text)
    );
END;
$$;

-- The legs of a group as they were posted, from rows that never change.
CREATE FUNCTION posted_group(p_group_id uuid) RETURNS TABLE (
    transfer_id uuid,
    from_sequence bigint,
    from_balance_after numeric,
    to_sequence bigint,
    to_balance_after numeric,
    posted_at timestamptz,
    replayed boolean
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, public
BEGIN ATOMIC
    SELECT
        t.id AS transfer_id,
        s.sequence AS from_sequence,
        s.balance_after AS from_balance_after,
        r.sequence AS to_sequence,
        r.balance_after AS to_balance_after,
        t.created_at AS posted_at,
        true AS replayed
    FROM (
        SELECT a.id, a.created_at FROM transfers AS a WHERE a.id = p_group_id
        UNION ALL
        SELECT b.id, b.created_at FROM transfers AS b WHERE b.group_id = p_group_id AND b.group_id <> b.id
    ) AS t
    INNER JOIN transactions AS s ON s.transfer_id = t.id AND s.type = 'sent'
    INNER JOIN transactions AS r ON r.transfer_id = t.id AND r.type = 'received'
    ORDER BY s.id;
END;

GRANT EXECUTE ON FUNCTION post_transfers, claim_idempotency_key, posted_group, house_wallet TO :"app_role";
