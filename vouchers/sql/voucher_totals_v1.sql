-- Keep voucher_totals, one row per user and currency, as vouchers change: statement by statement, from the rows that
-- changed, never by counting the rest. Counted: active, pending_payment and redeemed; left out: expired, cancelled.
-- The function runs as its owner, so that the app can change vouchers but never their totals.

CREATE FUNCTION keep_voucher_totals() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF tg_op = 'INSERT' THEN
        INSERT INTO voucher_totals AS t (
            user_id, currency, total_count, active_count, pending_count, total_value, active_value, pending_value
        )
        SELECT
            n.user_id,
            n.currency,
            count(*) FILTER (WHERE n.status IN ('active', 'pending_payment', 'redeemed')),
            count(*) FILTER (WHERE n.status = 'active'),
            count(*) FILTER (WHERE n.status = 'pending_payment'),
            coalesce(sum(n.original_amount) FILTER (WHERE n.status IN ('active', 'pending_payment', 'redeemed')), 0),
            coalesce(sum(n.balance) FILTER (WHERE n.status = 'active'), 0),
            coalesce(sum(n.original_amount) FILTER (WHERE n.status = 'pending_payment'), 0)
        FROM new_rows AS n
        GROUP BY n.user_id, n.currency
        ORDER BY n.user_id, n.currency
        ON CONFLICT (user_id, currency) DO UPDATE SET
            total_count = t.total_count + excluded.total_count,
            active_count = t.active_count + excluded.active_count,
            pending_count = t.pending_count + excluded.pending_count,
            total_value = t.total_value + excluded.total_value,
            active_value = t.active_value + excluded.active_value,
            pending_value = t.pending_value + excluded.pending_value;
        RETURN NULL;
    END IF;

    IF tg_op = 'UPDATE' THEN
        IF EXISTS (
            SELECT 1
            FROM old_rows AS o
            INNER JOIN new_rows AS n ON n.id = o.id
            WHERE n.user_id <> o.user_id OR n.currency <> o.currency
        ) THEN
            RAISE EXCEPTION 'a voucher keeps its user and its currency' USING ERRCODE = 'MM902';
        END IF;
        PERFORM 1
        FROM voucher_totals AS t
        WHERE (t.user_id, t.currency) IN (SELECT o.user_id, o.currency FROM old_rows AS o)
        ORDER BY t.user_id, t.currency
        FOR NO KEY UPDATE;
        UPDATE voucher_totals AS t
        SET
            total_count = t.total_count + d.total_count,
            active_count = t.active_count + d.active_count,
            pending_count = t.pending_count + d.pending_count,
            total_value = t.total_value + d.total_value,
            active_value = t.active_value + d.active_value,
            pending_value = t.pending_value + d.pending_value
        FROM (
            SELECT
                c.user_id,
                c.currency,
                coalesce(sum(c.sign) FILTER (WHERE c.status IN ('active', 'pending_payment', 'redeemed')), 0)
                    AS total_count,
                coalesce(sum(c.sign) FILTER (WHERE c.status = 'active'), 0) AS active_count,
                coalesce(sum(c.sign) FILTER (WHERE c.status = 'pending_payment'), 0) AS pending_count,
                coalesce(
                    sum(c.sign * c.original_amount)
                        FILTER (WHERE c.status IN ('active', 'pending_payment', 'redeemed')),
                    0
                ) AS total_value,
                coalesce(sum(c.sign * c.balance) FILTER (WHERE c.status = 'active'), 0) AS active_value,
                coalesce(sum(c.sign * c.original_amount) FILTER (WHERE c.status = 'pending_payment'), 0)
                    AS pending_value
            FROM (
                SELECT 1 AS sign, n.user_id, n.currency, n.status, n.balance, n.original_amount FROM new_rows AS n
                UNION ALL
                SELECT -1 AS sign, o.user_id, o.currency, o.status, o.balance, o.original_amount FROM old_rows AS o
            ) AS c
            GROUP BY c.user_id, c.currency
        ) AS d
        WHERE t.user_id = d.user_id AND t.currency = d.currency;
        RETURN NULL;
    END IF;

    PERFORM 1
    FROM voucher_totals AS t
    WHERE (t.user_id, t.currency) IN (SELECT o.user_id, o.currency FROM old_rows AS o)
    ORDER BY t.user_id, t.currency
    FOR NO KEY UPDATE;
    UPDATE voucher_totals AS t
    SET
        total_count = t.total_count - d.total_count,
        active_count = t.active_count - d.active_count,
        pending_count = t.pending_count - d.pending_count,
        total_value = t.total_value - d.total_value,
        active_value = t.active_value - d.active_value,
        pending_value = t.pending_value - d.pending_value
    FROM (
        SELECT
            o.user_id,
            o.currency,
            count(*) FILTER (WHERE o.status IN ('active', 'pending_payment', 'redeemed')) AS total_count,
            count(*) FILTER (WHERE o.status = 'active') AS active_count,
            count(*) FILTER (WHERE o.status = 'pending_payment') AS pending_count,
            coalesce(sum(o.original_amount) FILTER (WHERE o.status IN ('active', 'pending_payment', 'redeemed')), 0)
                AS total_value,
            coalesce(sum(o.balance) FILTER (WHERE o.status = 'active'), 0) AS active_value,
            coalesce(sum(o.original_amount) FILTER (WHERE o.status = 'pending_payment'), 0) AS pending_value
        FROM old_rows AS o
        GROUP BY o.user_id, o.currency
    ) AS d
    WHERE t.user_id = d.user_id AND t.currency = d.currency;
    RETURN NULL;
END;
$$;

CREATE TRIGGER vouchers_inserted_into_totals
AFTER INSERT ON vouchers
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION keep_voucher_totals();

CREATE TRIGGER vouchers_updated_into_totals
AFTER UPDATE ON vouchers
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION keep_voucher_totals();

CREATE TRIGGER vouchers_deleted_from_totals
AFTER DELETE ON vouchers
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION keep_voucher_totals();

GRANT INSERT, UPDATE ON vouchers, suspense_items TO :"app_role";
GRANT INSERT ON voucher_redemptions, till_events TO :"app_role";
