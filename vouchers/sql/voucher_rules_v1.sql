-- What a voucher, a till's report and a suspense item keep, whoever writes: they only go forward.
--   MM021 too_many_open_vouchers   MM022 voucher_under_review   MM023 voucher_expired
--   MM901 what no caller should try; the rule is named in CONSTRAINT

-- A voucher's value only falls, and what has ended stays so. One thing may still come: a top-up paid after its end is
-- released to its customer by finance, and was redeemed after all. A standard voucher is redeemed before its end, by
-- this clock. One with an open suspense item waits for finance.
CREATE FUNCTION guard_voucher() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF new.balance > old.balance
        OR (
            old.status NOT IN ('active', 'pending_payment')
            AND NOT (
                old.voucher_type = 'easypay_topup'
                AND old.status IN ('expired', 'cancelled')
                AND new.status = 'redeemed'
            )
        )
    THEN
        RAISE EXCEPTION 'voucher % has ended', old.public_id
            USING ERRCODE = 'MM901', CONSTRAINT = 'vouchers_go_forward';
    END IF;
    IF old.voucher_type = 'standard' AND new.status IN ('active', 'redeemed') AND clock_timestamp() >= old.expires_at
    THEN
        RAISE EXCEPTION 'voucher % has expired', old.public_id
            USING ERRCODE = 'MM023', DETAIL = '{}';
    END IF;
    IF new.status IN ('expired', 'cancelled')
        AND EXISTS (SELECT 1 FROM suspense_items AS s WHERE s.voucher_id = old.id AND s.resolved_at IS NULL)
    THEN
        RAISE EXCEPTION 'voucher % waits for finance', old.public_id USING ERRCODE = 'MM022', DETAIL = '{}';
    END IF;
    RETURN new;
END;
$$;

CREATE TRIGGER vouchers_go_forward
BEFORE UPDATE OF status, balance ON vouchers
FOR EACH ROW WHEN ((new.status, new.balance) IS DISTINCT FROM (old.status, old.balance))
EXECUTE FUNCTION guard_voucher();

-- Ten top-ups may wait for payment at a time. This runs after the totals were kept (triggers run by name), so issues of
-- one customer stand in line at their row and each counts what those before have committed.
CREATE FUNCTION refuse_too_many_open() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF EXISTS (
        SELECT 1
        FROM (SELECT DISTINCT n.user_id FROM new_rows AS n WHERE n.voucher_type = 'easypay_topup') AS i
        INNER JOIN vouchers AS v ON v.user_id = i.user_id
        WHERE v.status = 'pending_payment' AND v.voucher_type = 'easypay_topup'
        GROUP BY v.user_id
        HAVING count(*) > 10
    ) THEN
        RAISE EXCEPTION 'ten top-ups are open' USING ERRCODE = 'MM021', DETAIL = '{"most": 10}';
    END IF;
    RETURN NULL;
END;
$$;

CREATE TRIGGER vouchers_open_top_ups_are_few
AFTER INSERT ON vouchers
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION refuse_too_many_open();

CREATE FUNCTION refuse_rewriting() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused', tg_op, tg_table_name USING ERRCODE = 'MM901', CONSTRAINT = tg_name;
END;
$$;

-- A till's report stays as it was received; it is answered once.
CREATE TRIGGER till_events_are_answered_once
BEFORE UPDATE ON till_events
FOR EACH ROW
WHEN (
    old.result IS NOT NULL
    OR (
        new.id, new.provider, new.provider_reference, new.body, new.body_sha256, new.easypay_number, new.amount,
        new.currency, new.paid_at, new.received_at
    ) IS DISTINCT FROM (
        old.id, old.provider, old.provider_reference, old.body, old.body_sha256, old.easypay_number, old.amount,
        old.currency, old.paid_at, old.received_at
    )
)
EXECUTE FUNCTION refuse_rewriting();

CREATE TRIGGER till_events_stay
BEFORE DELETE OR TRUNCATE ON till_events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

-- A suspense item is what it is, and is resolved once.
CREATE TRIGGER suspense_items_are_resolved_once
BEFORE UPDATE ON suspense_items
FOR EACH ROW
WHEN (
    old.resolved_at IS NOT NULL
    OR (
        new.id, new.public_id, new.till_event_id, new.voucher_id, new.user_id, new.direction, new.reason, new.amount,
        new.currency, new.transfer_id, new.created_at
    ) IS DISTINCT FROM (
        old.id, old.public_id, old.till_event_id, old.voucher_id, old.user_id, old.direction, old.reason, old.amount,
        old.currency, old.transfer_id, old.created_at
    )
)
EXECUTE FUNCTION refuse_rewriting();

CREATE TRIGGER suspense_items_stay
BEFORE DELETE OR TRUNCATE ON suspense_items
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

CREATE TRIGGER voucher_redemptions_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON voucher_redemptions
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The app changes what becomes of these rows, never what they are.
REVOKE UPDATE ON vouchers, suspense_items FROM :"app_role";
GRANT UPDATE (status, balance) ON vouchers TO :"app_role";
GRANT UPDATE (result, processed_at, voucher_id) ON till_events TO :"app_role";
GRANT UPDATE (
    resolved_at, resolution, resolution_transfer_id, resolved_by_id, approved_by_id
) ON suspense_items TO :"app_role";
