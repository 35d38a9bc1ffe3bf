-- REFRESH needs the view's owner; the app may ask for exactly this one. Readers are not blocked (CONCURRENTLY).
CREATE FUNCTION refresh_user_dashboard_summary() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    REFRESH MATERIALIZED VIEW CONCURRENTLY user_dashboard_summary;
END;
$$;

GRANT EXECUTE ON FUNCTION refresh_user_dashboard_summary TO :"app_role";
GRANT INSERT, DELETE ON dashboard_refreshes, query_performance_logs TO :"app_role";
