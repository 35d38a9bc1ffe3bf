-- The posting kernel, second version: a group may be paid out of a hold, gives spending back, names who approved it.
-- The keys, refusals and house wallets of the first version stay (post_transfers_v1.sql). Added to its SQLSTATEs:
--   MM012 two_people_needed     MM014 hold_resolved       MM016 capture_exceeds_hold
--   MM013 unknown_hold          MM015 hold_expired        MM017 unknown_transfer       MM018 not_reversible

-- One leg of a posting, as in the first version. Besides:
-- gives_back names the transfer by which the receiver once spent this money: as much counts no longer against his
-- limits, if that day, that month, is still running.
CREATE TYPE transfer_leg AS (
    id uuid,
    kind text,
    from_wallet bigint,
    to_wallet bigint,
    amount numeric,
    currency text,
    reference text,
    reverses uuid,
    gives_back uuid,
    metadata jsonb,
    check_active boolean,
    check_limits text,
    check_ceiling boolean
);

-- What a customer has spent on `p_today`, and in its month, once `p_amount` is counted: refuses what his tier does not
-- allow. Counters of an earlier day, or month, read as 0.
CREATE FUNCTION spent_with(
    p_amount numeric,
    p_today date,
    p_spent_on date,
    p_spent_day numeric,
    p_spent_month numeric,
    p_tier int,
    p_permitted boolean,
    p_per_transfer numeric,
    p_per_day numeric,
    p_per_month numeric
) RETURNS numeric[]
LANGUAGE plpgsql
AS $$
DECLARE
    v_day CONSTANT numeric := CASE WHEN p_spent_on = p_today THEN p_spent_day ELSE 0 END;
    v_month CONSTANT numeric := CASE
        WHEN p_spent_on >= date_trunc('month', p_today)::date THEN p_spent_month
        ELSE 0
    END;
BEGIN
    IF p_permitted IS NOT TRUE THEN
        PERFORM refuse('MM009', 'not_permitted', jsonb_build_object('tier', p_tier));
    END IF;
    IF p_amount > p_per_transfer THEN
        PERFORM refuse_over_limit('transfer', p_per_transfer, 0);
    END IF;
    IF v_day + p_amount > p_per_day THEN
        PERFORM refuse_over_limit('day', p_per_day, v_day);
    END IF;
    IF v_month + p_amount > p_per_month THEN
        PERFORM refuse_over_limit('month', p_per_month, v_month);
    END IF;
    RETURN ARRAY[v_day + p_amount, v_month + p_amount];
END;
$$;

-- What is left of the counters of `p_spent_on` once `p_amount`, spent at `p_spent_at`, is given back.
CREATE FUNCTION spent_without(
    p_amount numeric, p_spent_at timestamptz, p_spent_on date, p_spent_day numeric, p_spent_month numeric
) RETURNS numeric[]
LANGUAGE plpgsql
AS $$
DECLARE
    v_on CONSTANT date := (p_spent_at AT TIME ZONE 'Africa/Johannesburg')::date;
BEGIN
    RETURN ARRAY[
        greatest(p_spent_day - CASE WHEN v_on = p_spent_on THEN p_amount ELSE 0 END, 0),
        greatest(
            p_spent_month
            - CASE WHEN date_trunc('month', v_on) = date_trunc('month', p_spent_on) THEN p_amount ELSE 0 END,
            0
        )
    ];
END;
$$;

-- NaN and infinity sort above every number, so the upper bound refuses them too.
CREATE FUNCTION refuse_unless_amount(p_amount numeric) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF (p_amount > 0 AND p_amount <= 99999999999999999.99 AND scale(trim_scale(p_amount)) <= 2) IS NOT TRUE THEN
        PERFORM refuse('MM008', 'invalid_amount');
    END IF;
END;
$$;

-- Lock a hold that is live; holds are locked before wallets. Raises unknown_hold, hold_resolved.
CREATE FUNCTION lock_hold(p_id bigint) RETURNS holds
LANGUAGE plpgsql
AS $$
DECLARE
    v_hold holds;
BEGIN
    SELECT h.* INTO v_hold FROM holds AS h WHERE h.id = p_id FOR NO KEY UPDATE;
    IF NOT found THEN
        PERFORM refuse('MM013', 'unknown_hold');
    END IF;
    IF v_hold.status <> 'held' THEN
        PERFORM refuse('MM014', 'hold_resolved', jsonb_build_object('status', v_hold.status));
    END IF;
    RETURN v_hold;
END;
$$;

-- Post a group of legs: all of it, once for each key, or nothing. With `p_hold` the group is paid out of that hold: the
-- legs of its wallet may come to what is held and no more, and what they leave is free again.
-- Returns one row per leg in their order; the same rows, marked as a replay, when the key was used before.
-- Each statement names one wallet by its id, so that wallets can live on several nodes.
CREATE FUNCTION post_transfers(
    p_legs transfer_leg[],
    p_actor text,
    p_key text,
    p_request_hash bytea,
    p_initiated_by bigint,
    p_approved_by bigint,
    p_hold bigint,
    p_at timestamptz
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
    v_hold holds;
    v_captured numeric := 0;
    v_release numeric;
    v_leg transfer_leg;
    v_wallet_ids bigint[];
    v_wallet_id bigint;
    v_last_entry_at timestamptz;
    v_at timestamptz := coalesce(p_at, '-infinity');
    v_today date;
    v_from record;
    v_to record;
    v_spent numeric[];
    v_spent_on date;
    v_spent_at timestamptz;
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

    -- 2. The hold; the wallets, in ascending id; then the time, which never goes back in any of them.
    IF p_hold IS NOT NULL THEN
        v_hold := lock_hold(p_hold);
    END IF;
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
    IF v_hold.expires_at <= v_at THEN
        PERFORM refuse('MM015', 'hold_expired');
    END IF;

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
        SELECT
            w.kind, w.currency, w.status, w.user_id, u.status AS user_status,
            w.spent_on, w.spent_day_amount, w.spent_month_amount
        INTO v_to
        FROM wallets AS w
        LEFT JOIN users AS u ON u.id = w.user_id
        WHERE w.id = v_leg.to_wallet;

        PERFORM refuse_unless_amount(v_leg.amount);
        IF v_leg.kind IN ('reversal', 'adjustment', 'settlement', 'release', 'resolution', 'collection')
            AND (p_initiated_by <> p_approved_by) IS NOT TRUE
        THEN
            PERFORM refuse('MM012', 'two_people_needed');
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
        -- A reversal takes back all of one transfer, where it came from, and is none of a reversal.
        IF v_leg.reverses IS NOT NULL
            AND NOT EXISTS (
                SELECT 1
                FROM transfers AS t
                WHERE
                    t.id = v_leg.reverses
                    AND t.reverses_id IS NULL
                    AND t.from_wallet_id = v_leg.to_wallet
                    AND (t.to_wallet_id = v_leg.from_wallet OR v_from.kind = 'adjustments')
                    AND t.amount = v_leg.amount
                    AND t.currency = v_leg.currency
            )
        THEN
            PERFORM refuse('MM018', 'not_reversible');
        END IF;
        v_release := 0;
        IF v_leg.from_wallet = v_hold.wallet_id THEN
            IF v_captured = 0 THEN
                v_release := v_hold.amount;
            END IF;
            v_captured := v_captured + v_leg.amount;
            IF v_captured > v_hold.amount THEN
                PERFORM refuse('MM016', 'capture_exceeds_hold', jsonb_build_object('held', v_hold.amount::text));
            END IF;
        END IF;
        v_spent := ARRAY[v_from.spent_day_amount, v_from.spent_month_amount];
        v_spent_on := v_from.spent_on;
        IF v_from.kind = 'customer' THEN
            IF v_leg.check_limits IS NOT NULL THEN
                v_spent := spent_with(
                    v_leg.amount, v_today, v_from.spent_on, v_from.spent_day_amount, v_from.spent_month_amount,
                    v_from.kyc_tier, v_from.permitted,
                    v_from.per_transfer_amount, v_from.per_day_amount, v_from.per_month_amount
                );
                v_spent_on := v_today;
            END IF;
            IF v_from.available + v_release < v_leg.amount THEN
                -- Told of the whole group: what was there before its first leg, and what all of them need.
                PERFORM refuse(
                    'MM003',
                    'insufficient_funds',
                    (
                        SELECT jsonb_build_object(
                            'available',
                            (v_from.available + coalesce(sum(l.amount) FILTER (WHERE t.id IS NOT NULL), 0))::text,
                            'needed',
                            sum(l.amount)::text
                        )
                        FROM unnest(p_legs) AS l
                        LEFT JOIN transfers AS t ON t.id = l.id
                        WHERE l.from_wallet = v_leg.from_wallet
                    )
                );
            END IF;
        END IF;

        -- 4. The transfer, the two heads, the two entries.
        INSERT INTO transfers (
            id, kind, from_wallet_id, to_wallet_id, amount, currency, reference, group_id, initiated_by_id,
            approved_by_id, reverses_id, metadata, created_at
        )
        VALUES (
            v_leg.id, v_leg.kind, v_leg.from_wallet, v_leg.to_wallet, v_leg.amount, v_leg.currency, v_leg.reference,
            v_group_id, p_initiated_by, p_approved_by, v_leg.reverses, v_leg.metadata, v_at
        );

        UPDATE wallets AS w
        SET
            balance = w.balance - v_leg.amount,
            held = w.held - v_release,
            total_sent = w.total_sent + v_leg.amount,
            sent_count = w.sent_count + 1,
            sequence = coalesce(w.sequence, 0) + 1,
            last_entry_at = v_at,
            spent_on = v_spent_on,
            spent_day_amount = v_spent[1],
            spent_month_amount = v_spent[2]
        WHERE w.id = v_leg.from_wallet
        RETURNING w.sequence, w.balance, w.total_received, w.total_sent
        INTO from_sequence, from_balance_after, v_from_received, v_from_sent;
        v_spent := ARRAY[v_to.spent_day_amount, v_to.spent_month_amount];
        IF v_leg.gives_back IS NOT NULL THEN
            SELECT t.created_at
            INTO v_spent_at
            FROM transfers AS t
            WHERE t.id = v_leg.gives_back AND t.from_wallet_id = v_leg.to_wallet AND t.amount >= v_leg.amount;
            IF NOT found THEN
                PERFORM refuse('MM017', 'unknown_transfer');
            END IF;
            v_spent := spent_without(v_leg.amount, v_spent_at, v_to.spent_on, v_spent[1], v_spent[2]);
        END IF;
        UPDATE wallets AS w
        SET
            balance = w.balance + v_leg.amount,
            total_received = w.total_received + v_leg.amount,
            received_count = w.received_count + 1,
            sequence = coalesce(w.sequence, 0) + 1,
            last_entry_at = v_at,
            spent_day_amount = v_spent[1],
            spent_month_amount = v_spent[2]
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

    -- 5. The hold is spent, once.
    IF p_hold IS NOT NULL THEN
        IF v_captured = 0 THEN
            PERFORM refuse('MM016', 'capture_exceeds_hold', jsonb_build_object('held', v_hold.amount::text));
        END IF;
        UPDATE holds AS h
        SET status = 'captured', captured_amount = v_captured, resolved_at = v_at
        WHERE h.id = p_hold;
    END IF;

    -- 6. The receiver's highest balance counts at the end of the group: fees it pays out of the money are already gone.
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

GRANT EXECUTE ON FUNCTION
post_transfers(transfer_leg[], text, text, bytea, bigint, bigint, bigint, timestamptz)
TO :"app_role";
