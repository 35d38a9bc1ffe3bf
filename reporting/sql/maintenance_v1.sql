-- Reports of maintenance are only ever added, by the app's own tasks.
GRANT INSERT ON maintenance_reports TO :"app_role";

-- ANALYZE is the owner's; the app may ask for it, of a table or materialized view of the bank. It hinders nobody.
CREATE FUNCTION analyze_table(table_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relname = table_name AND c.relkind IN ('r', 'p', 'm');
    IF NOT found THEN
        RAISE EXCEPTION '% is no table of the bank', table_name USING ERRCODE = 'undefined_table';
    END IF;
    EXECUTE format('ANALYZE public.%I', table_name);
END;
$$;

GRANT EXECUTE ON FUNCTION analyze_table TO :"app_role";
