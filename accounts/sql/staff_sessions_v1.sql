-- What a colleague is and may do decides what his open sessions are worth: whatever changes that ends them all.
-- Raw SQL too, and services that are not written yet. A session remembers the epoch it began in.

CREATE FUNCTION end_sessions_of_user() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    new.session_epoch := old.session_epoch + 1;
    RETURN new;
END;
$$;

-- Whoever saves a whole row that he read before an epoch ended would begin that epoch again.
CREATE TRIGGER users_standing_ends_sessions
BEFORE UPDATE ON users
FOR EACH ROW WHEN (
    (old.status, old.is_staff, old.is_superuser) IS DISTINCT FROM (new.status, new.is_staff, new.is_superuser)
    OR new.session_epoch < old.session_epoch
)
EXECUTE FUNCTION end_sessions_of_user();

CREATE FUNCTION end_sessions_of_role() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF tg_op <> 'INSERT' THEN
        UPDATE users SET session_epoch = session_epoch + 1 WHERE id = old.user_id;
    END IF;
    IF tg_op <> 'DELETE' THEN
        UPDATE users SET session_epoch = session_epoch + 1 WHERE id = new.user_id;
    END IF;
    RETURN NULL;
END;
$$;

CREATE TRIGGER users_groups_end_sessions
AFTER INSERT OR UPDATE OR DELETE ON users_groups
FOR EACH ROW EXECUTE FUNCTION end_sessions_of_role();

CREATE TRIGGER users_user_permissions_end_sessions
AFTER INSERT OR UPDATE OR DELETE ON users_user_permissions
FOR EACH ROW EXECUTE FUNCTION end_sessions_of_role();

GRANT INSERT, UPDATE, DELETE ON second_factors, recovery_codes TO :"app_role";
