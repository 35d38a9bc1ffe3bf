-- What django-pghistory leaves open. Safe to run again, and to be run after every migration that adds a table of
-- history or changes one of its triggers: the library writes its functions anew each time.
--
-- 1. A session could tell its triggers to look away (set_config('pgtrigger.ignore', …)). Nobody can.
-- 2. It would keep variables of a session beside each change. The transaction's id says what belongs together.
-- 3. Its functions would run as whoever changes the row, who would then need INSERT, and could make history up. They
--    run as the owner.
-- 4. Rows of history could be changed. They are only ever added.

CREATE OR REPLACE FUNCTION _pgtrigger_should_ignore(trigger_name name) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$ SELECT false $$;

CREATE OR REPLACE FUNCTION _pgh_attach_context() RETURNS uuid
LANGUAGE sql IMMUTABLE
AS $$ SELECT NULL::uuid $$;

REVOKE EXECUTE ON FUNCTION _pgtrigger_should_ignore(name), _pgh_attach_context() FROM public;

DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT p.oid::regprocedure AS name
        FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace AND starts_with(p.proname, 'pgtrigger_')
    LOOP
        EXECUTE format(
            'ALTER FUNCTION %s SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp', found.name
        );
    END LOOP;

    FOR found IN
        SELECT c.oid::regclass AS name, c.relname || '_append_only' AS rule
        FROM pg_class AS c
        WHERE
            c.relnamespace = 'public'::regnamespace
            AND c.relkind = 'r'
            AND c.relname LIKE '%\_history'
            AND NOT EXISTS (
                SELECT 1 FROM pg_trigger AS t
                WHERE t.tgrelid = c.oid AND t.tgname = c.relname || '_append_only'
            )
    LOOP
        EXECUTE format(
            'CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %s '
            'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
            found.rule, found.name
        );
    END LOOP;
END;
$$;
