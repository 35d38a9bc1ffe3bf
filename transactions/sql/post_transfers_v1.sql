-- The posting kernel: the only writer of transfers, transactions and the money of wallets.
--
-- Amounts are numeric, in major units of `currency`. Refusals are SQLSTATEs of class MM, with facts as JSON in DETAIL:
--   MM001 wallet_not_active     MM005 balance_too_high    MM009 not_permitted (by tier)
--   MM002 same_wallet           MM006 wrong_currency      MM010 unknown_wallet
--   MM003 insufficient_funds    MM007 key_reused          MM011 user_not_active
--   MM004 limit_exceeded        MM008 invalid_amount

-- One leg of a posting. The last three say what this step demands of customers' wallets (design: table of legs):
-- check_active of both ends (a closed wallet is refused in any case);
-- check_limits 'send' or 'cash_out' of the sender; check_ceiling of the receiver.
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
SET search_path = pg_catalog, public, pg_temp
RETURN (
    SELECT w.id
    FROM wallets AS w
    WHERE w.kind = p_kind AND w.currency = p_currency AND w.stripe = p_stripe % 16 AND w.kind <> 'customer'
);

-- Refuse with a SQLSTATE of class MM and facts that may be shown to whoever asked.
CREATE FUNCTION refuse(p_state text, p_message text, p_facts jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION '%', p_message USING ERRCODE = p_state, DETAIL = p_facts::text;
END;
$$;

-- Claim `p_key` for what this transaction is about to make. Null: claimed, go on. Otherwise the id of what the first
-- request made. A key in flight is waited for (lock_timeout); a transaction that rolls back leaves its key free.
CREATE FUNCTION claim_key(
    p_actor text, p_key text, p_request_hash bytea, p_produced_kind text, p_produced_id uuid
) RETURNS uuid
LANGUAGE plpgsql
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
        PERFORM refuse('MM007', 'key_reused');
    END IF;
    RETURN v_produced_id;
END;
$$;

-- The same, for who does more than post: claim the key first, write the rest, call post_transfers last without a key.
CREATE FUNCTION claim_idempotency_key(
    p_actor text, p_key text, p_request_hash bytea, p_produced_kind text, p_produced_id uuid
) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RETURN claim_key(p_actor, p_key, p_request_hash, p_produced_kind, p_produced_id);
END;
$$;

-- Post a group of legs: all of it, once for each key, or nothing.
-- Returns one row per leg in their order; the same rows, marked as a replay, when the key was used before.
-- Each statement names one wallet by its id, so that wallets can live on several nodes.
CREATE FUNCTION post_transfers(
    p_legs posting_leg[],
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
SET search_path = pg_catalog, public, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    v_group_id CONSTANT uuid := p_legs[1].id;
    v_first_id uuid;
    v_leg posting_leg;
    v_wallet_ids bigint[];
    v_wallet_id bigint;
    v_last_entry_at timestamptz;
    v_at timestamptz := coalesce(p_at, '-infinity');
    v_today date;
    v_from record;
    v_to record;
    v_day numeric;
    v_month numeric;
    v_from_received numeric;
    v_from_sent numeric;
    v_to_received numeric;
    v_to_sent numeric;
BEGIN
    -- 1. The key, before any other check: a repeat gets its first answer whatever has changed since.
    IF p_key IS NOT NULL THEN
        v_first_id := claim_key(p_actor, p_key, p_request_hash, 'transfer', v_group_id);
        IF v_first_id IS NOT NULL THEN
            RETURN QUERY SELECT p.* FROM posted_group(v_first_id) AS p;
            RETURN;
        END IF;
    END IF;

    -- 2. The wallets, in ascending id; then the time, which never goes back in any of them.
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
        SELECT w.last_entry_at INTO v_last_entry_at FROM wallets AS w WHERE w.id = v_wallet_id FOR NO KEY UPDATE;
        IF NOT found THEN
            PERFORM refuse('MM010', 'unknown_wallet');
        END IF;
        v_at := greatest(v_at, v_last_entry_at);
    END LOOP;
    IF p_at IS NULL THEN
        v_at := greatest(v_at, clock_timestamp());
    END IF;
    v_today := (v_at AT TIME ZONE 'Africa/Johannesburg')::date;

    FOREACH v_leg IN ARRAY p_legs LOOP
        -- 3. What this leg demands.
        SELECT
            w.kind, w.currency, w.status, w.user_id, w.balance - w.held AS available,
            w.spent_on, w.spent_day_amount, w.spent_month_amount, u.status AS user_status, u.kyc_tier,
            l.per_transfer_amount, l.per_day_amount, l.per_month_amount,
            CASE v_leg.check_limits WHEN 'send' THEN l.may_send ELSE l.may_cash_out END AS permitted
        INTO v_from
        FROM wallets AS w
        LEFT JOIN users AS u ON u.id = w.user_id
        LEFT JOIN tier_limits AS l ON l.tier = u.kyc_tier AND l.currency = w.currency
        WHERE w.id = v_leg.from_wallet;
        SELECT w.kind, w.currency, w.status, w.user_id, u.status AS user_status, l.highest_balance
        INTO v_to
        FROM wallets AS w
        LEFT JOIN users AS u ON u.id = w.user_id
        LEFT JOIN tier_limits AS l ON l.tier = u.kyc_tier AND l.currency = w.currency
        WHERE w.id = v_leg.to_wallet;

        -- NaN and infinity sort above every number, so the upper bound refuses them too.
        IF (v_leg.amount > 0 AND v_leg.amount <= 99999999999999999.99 AND scale(trim_scale(v_leg.amount)) <= 2)
            IS NOT TRUE
        THEN
            PERFORM refuse('MM008', 'invalid_amount');
        END IF;
        IF v_leg.from_wallet = v_leg.to_wallet THEN
            PERFORM refuse('MM002', 'same_wallet');
        END IF;
        IF (v_from.currency = v_leg.currency AND v_to.currency = v_leg.currency) IS NOT TRUE THEN
            PERFORM refuse(
                'MM006', 'wrong_currency', jsonb_build_object('payer', v_from.currency, 'payee', v_to.currency)
            );
        END IF;
        IF v_from.status = 'closed' THEN
            PERFORM refuse_inactive('payer', v_from.status, v_from.user_status);
        END IF;
        IF v_to.status = 'closed' THEN
            PERFORM refuse_inactive('payee', v_to.status, v_to.user_status);
        END IF;
        IF v_leg.check_active THEN
            IF v_from.status <> 'active' OR v_from.user_status <> 'active' THEN
                PERFORM refuse_inactive('payer', v_from.status, v_from.user_status);
            END IF;
            IF v_to.status <> 'active' OR v_to.user_status <> 'active' THEN
                PERFORM refuse_inactive('payee', v_to.status, v_to.user_status);
            END IF;
        END IF;
        IF v_from.kind = 'customer' THEN
            IF v_leg.check_limits IS NOT NULL THEN
                v_day := CASE WHEN v_from.spent_on = v_today THEN v_from.spent_day_amount ELSE 0 END + v_leg.amount;
                v_month := CASE
                    WHEN v_from.spent_on >= date_trunc('month', v_today)::date THEN v_from.spent_month_amount
                    ELSE 0
                END + v_leg.amount;
                IF v_from.permitted IS NOT TRUE THEN
                    PERFORM refuse('MM009', 'not_permitted', jsonb_build_object('tier', v_from.kyc_tier));
                END IF;
                IF v_leg.amount > v_from.per_transfer_amount THEN
                    PERFORM refuse_over_limit('transfer', v_from.per_transfer_amount, 0);
                END IF;
                IF v_day > v_from.per_day_amount THEN
                    PERFORM refuse_over_limit('day', v_from.per_day_amount, v_day - v_leg.amount);
                END IF;
                IF v_month > v_from.per_month_amount THEN
                    PERFORM refuse_over_limit('month', v_from.per_month_amount, v_month - v_leg.amount);
                END IF;
            END IF;
            IF v_from.available < v_leg.amount THEN
                PERFORM refuse(
                    'MM003',
                    'insufficient_funds',
                    jsonb_build_object('available', v_from.available::text, 'needed', v_leg.amount::text)
                );
            END IF;
        END IF;

        -- 4. The transfer, the two heads, the two entries.
        INSERT INTO transfers (
            id, kind, from_wallet_id, to_wallet_id, amount, currency, reference, group_id, initiated_by_id,
            reverses_id, metadata, created_at
        )
        VALUES (
            v_leg.id, v_leg.kind, v_leg.from_wallet, v_leg.to_wallet, v_leg.amount, v_leg.currency, v_leg.reference,
            v_group_id, p_initiated_by, v_leg.reverses, v_leg.metadata, v_at
        );

        IF v_leg.check_limits IS NULL OR v_from.kind <> 'customer' THEN
            UPDATE wallets AS w
            SET
                balance = w.balance - v_leg.amount,
                total_sent = w.total_sent + v_leg.amount,
                sent_count = w.sent_count + 1,
                sequence = coalesce(w.sequence, 0) + 1,
                last_entry_at = v_at
            WHERE w.id = v_leg.from_wallet
            RETURNING w.sequence, w.balance, w.total_received, w.total_sent
            INTO from_sequence, from_balance_after, v_from_received, v_from_sent;
        ELSE
            UPDATE wallets AS w
            SET
                balance = w.balance - v_leg.amount,
                total_sent = w.total_sent + v_leg.amount,
                sent_count = w.sent_count + 1,
                sequence = coalesce(w.sequence, 0) + 1,
                last_entry_at = v_at,
                spent_on = v_today,
                spent_day_amount = v_day,
                spent_month_amount = v_month
            WHERE w.id = v_leg.from_wallet
            RETURNING w.sequence, w.balance, w.total_received, w.total_sent
            INTO from_sequence, from_balance_after, v_from_received, v_from_sent;
        END IF;
        UPDATE wallets AS w
        SET
            balance = w.balance + v_leg.amount,
            total_received = w.total_received + v_leg.amount,
            received_count = w.received_count + 1,
            sequence = coalesce(w.sequence, 0) + 1,
            last_entry_at = v_at
        WHERE w.id = v_leg.to_wallet
        RETURNING w.sequence, w.balance, w.total_received, w.total_sent
        INTO to_sequence, to_balance_after, v_to_received, v_to_sent;

        INSERT INTO transactions (
            transfer_id, wallet_id, user_id, type, amount, currency, sequence, balance_after, total_received_after,
            total_sent_after, created_at
        )
        VALUES (
            v_leg.id, v_leg.from_wallet, v_from.user_id, 'sent', v_leg.amount, v_leg.currency, from_sequence,
            from_balance_after, v_from_received, v_from_sent, v_at
        );
        INSERT INTO transactions (
            transfer_id, wallet_id, user_id, type, amount, currency, sequence, balance_after, total_received_after,
            total_sent_after, created_at
        )
        VALUES (
            v_leg.id, v_leg.to_wallet, v_to.user_id, 'received', v_leg.amount, v_leg.currency, to_sequence,
            to_balance_after, v_to_received, v_to_sent, v_at
        );

        transfer_id := v_leg.id;
        posted_at := v_at;
        replayed := false;
        RETURN NEXT;
    END LOOP;

    -- The receiver's highest balance counts at the end of the group: fees it pays out of the money are already gone.
    FOREACH v_leg IN ARRAY p_legs LOOP
        IF v_leg.check_ceiling THEN
            SELECT w.balance, coalesce(l.highest_balance, 0) AS highest
            INTO v_to
            FROM wallets AS w
            INNER JOIN users AS u ON u.id = w.user_id
            LEFT JOIN tier_limits AS l ON l.tier = u.kyc_tier AND l.currency = w.currency
            WHERE w.id = v_leg.to_wallet;
            IF v_to.balance > v_to.highest THEN
                PERFORM refuse('MM005', 'balance_too_high', jsonb_build_object('highest', v_to.highest::text));
            END IF;
        END IF;
    END LOOP;
END;
$$;

CREATE FUNCTION refuse_inactive(p_end text, p_wallet_status text, p_user_status text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF p_wallet_status <> 'active' THEN
        PERFORM refuse('MM001', 'wallet_not_active', jsonb_build_object('end', p_end, 'status', p_wallet_status));
    END IF;
    PERFORM refuse('MM011', 'user_not_active', jsonb_build_object('end', p_end));
END;
$$;

CREATE FUNCTION refuse_over_limit(p_period text, p_limit numeric, p_spent numeric) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM refuse(
        'MM004',
        'limit_exceeded',
        jsonb_build_object(
            'period', p_period, 'limit', p_limit::text, 'left', greatest(p_limit - p_spent, 0)::text
        )
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
SET search_path = pg_catalog, public, pg_temp
BEGIN ATOMIC
    SELECT
        t.id AS transfer_id,
        s.sequence AS from_sequence,
        s.balance_after AS from_balance_after,
        r.sequence AS to_sequence,
        r.balance_after AS to_balance_after,
        t.created_at AS posted_at,
        TRUE AS replayed
    FROM (
        SELECT
            a.id,
            a.created_at
        FROM transfers AS a
        WHERE a.id = p_group_id
        UNION ALL
        SELECT
            b.id,
            b.created_at
        FROM transfers AS b
        WHERE b.group_id = p_group_id AND b.group_id <> b.id
    ) AS t
    INNER JOIN transactions AS s ON s.transfer_id = t.id AND s.type = 'sent'
    INNER JOIN transactions AS r ON r.transfer_id = t.id AND r.type = 'received'
    ORDER BY s.id;
END;

GRANT EXECUTE ON FUNCTION post_transfers, claim_idempotency_key, posted_group, house_wallet TO :"app_role";
