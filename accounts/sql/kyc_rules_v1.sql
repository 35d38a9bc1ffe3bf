-- What must hold between a case and what it was a moment ago: a version grows, and a decision stands.

CREATE FUNCTION keep_kyc_history() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF new.version <= old.version THEN
        RAISE EXCEPTION 'the version of a case grows with every change'
            USING ERRCODE = 'MM901', CONSTRAINT = 'kyc_submissions_go_forward';
    END IF;
    IF old.status <> 'pending' AND (
        new.status, new.user_id, new.granted_tier, new.reviewer_id, new.second_reviewer_id, new.decided_at, new.created_at
    ) IS DISTINCT FROM (
        old.status, old.user_id, old.granted_tier, old.reviewer_id, old.second_reviewer_id, old.decided_at, old.created_at
    ) THEN
        RAISE EXCEPTION 'a case is decided once'
            USING ERRCODE = 'MM901', CONSTRAINT = 'kyc_submissions_are_decided_once';
    END IF;
    RETURN new;
END;
$$;

CREATE TRIGGER kyc_submissions_go_forward
BEFORE UPDATE ON kyc_submissions
FOR EACH ROW EXECUTE FUNCTION keep_kyc_history();

CREATE TRIGGER kyc_notes_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON kyc_notes
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT INSERT ON kyc_notes TO :"app_role";
