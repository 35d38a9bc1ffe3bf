-- What the role of web and workers may do with everybody's tables: read, unless something more is granted by name.
-- Default privileges keep that true for tables and views that are built, or rebuilt, later.

GRANT USAGE ON SCHEMA public TO :"app_role";
GRANT SELECT ON ALL TABLES IN SCHEMA public TO :"app_role";
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO :"app_role";
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO :"app_role";
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO :"app_role";
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

GRANT INSERT, UPDATE, DELETE ON
auth_group, auth_group_permissions, django_session, users_groups, users_user_permissions, login_sessions
TO :"app_role";
GRANT INSERT ON django_admin_log TO :"app_role";
GRANT INSERT, UPDATE ON users, kyc_submissions, kyc_documents TO :"app_role";
GRANT INSERT ON audit_events TO :"app_role";
