-- What no trace would tell of, nobody changes: who somebody is and since when, and codes that are used up. A second
-- factor or its recovery codes are changed by new ones in their place.

CREATE FUNCTION refuse_undoing() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused', tg_op, tg_table_name USING ERRCODE = 'MM901', CONSTRAINT = tg_name;
END;
$$;

CREATE TRIGGER users_keep_who_they_are
BEFORE UPDATE ON users
FOR EACH ROW
WHEN ((new.id, new.public_id, new.created_at) IS DISTINCT FROM (old.id, old.public_id, old.created_at))
EXECUTE FUNCTION refuse_undoing();

-- All that becomes of a key is that codes of it are used up.
CREATE TRIGGER second_factors_go_forward
BEFORE UPDATE ON second_factors
FOR EACH ROW
WHEN (
    new.last_step < old.last_step
    OR (new.user_id, new.key_encrypted, new.enrolled_at) IS DISTINCT FROM (
        old.user_id, old.key_encrypted, old.enrolled_at
    )
)
EXECUTE FUNCTION refuse_undoing();

CREATE TRIGGER recovery_codes_are_used_once
BEFORE UPDATE ON recovery_codes
FOR EACH ROW
WHEN (
    old.used_at IS NOT NULL
    OR (new.id, new.factor_id, new.digest) IS DISTINCT FROM (old.id, old.factor_id, old.digest)
)
EXECUTE FUNCTION refuse_undoing();

-- The app has no need of more.
REVOKE UPDATE ON second_factors, recovery_codes FROM :"app_role";
GRANT UPDATE (last_step) ON second_factors TO :"app_role";
GRANT UPDATE (used_at) ON recovery_codes TO :"app_role";
