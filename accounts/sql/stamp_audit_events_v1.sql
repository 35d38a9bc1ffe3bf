-- An event says truly when it was written and by which transaction: whatever else the app says of that is not kept.
-- Who migrates may bring events of long ago, but none of another transaction either.

CREATE FUNCTION stamp_audit_event() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    new.transaction_id := pg_current_xact_id()::text::bigint;
    IF NOT (SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class AS c WHERE c.oid = tg_relid) THEN
        new.at := statement_timestamp();
    END IF;
    RETURN new;
END;
$$;

CREATE TRIGGER audit_events_say_when
BEFORE INSERT ON audit_events
FOR EACH ROW EXECUTE FUNCTION stamp_audit_event();
