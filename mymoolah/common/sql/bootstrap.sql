-- The roles, the database and the extensions that MyMoolah needs, made by a superuser. Safe to run again; heals what
-- is missing. The embedded servers, docker-compose and an operator with a PostgreSQL of his own all run this file:
--
--     psql -X -v ON_ERROR_STOP=1 -d postgres -f bootstrap.sql [-v owner=… -v app=… -v database=…]
--
-- Passwords are set only when given, by the variables owner_password and app_password or, out of sight of `ps`, by the
-- environment variables MYMOOLAH_OWNER_PASSWORD and MYMOOLAH_APP_PASSWORD.

\set ON_ERROR_STOP on

\if :{?owner}
\else
    \set owner mymoolah_owner
\endif
\if :{?app}
\else
    \set app mymoolah_app
\endif
\if :{?database}
\else
    \set database mymoolah
\endif
\if :{?owner_password}
\else
    \getenv owner_password MYMOOLAH_OWNER_PASSWORD
\endif
\if :{?app_password}
\else
    \getenv app_password MYMOOLAH_APP_PASSWORD
\endif

SET client_min_messages = warning;

-- One run at a time: that of a killed starter may still be under way. A lock of the session, since CREATE DATABASE
-- cannot run in a transaction; each of the two sessions below takes it in its own database.
SELECT pg_advisory_lock(6250150) \g /dev/null

-- The owner migrates and maintains, and clones databases for the tests; the app is what web and workers log in as.
SELECT format('CREATE ROLE %I', :'owner')
WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = :'owner') \gexec

SELECT format('CREATE ROLE %I', :'app')
WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = :'app') \gexec

ALTER ROLE :"owner" LOGIN CREATEDB;
ALTER ROLE :"app" LOGIN;

\if :{?owner_password}
    ALTER ROLE :"owner" PASSWORD :'owner_password';
\endif
\if :{?app_password}
    ALTER ROLE :"app" PASSWORD :'app_password';
\endif

-- Set on the role, since PgBouncer in transaction mode refuses them as start-up options.
ALTER ROLE :"app" SET lock_timeout = '5s';
ALTER ROLE :"app" SET statement_timeout = '30s';
ALTER ROLE :"app" SET idle_in_transaction_session_timeout = '60s';
-- A migration that waits for a lock is waited for by everybody behind it: it gives way, and is run again. What it does
-- may take long.
ALTER ROLE :"owner" SET lock_timeout = '5s';
ALTER ROLE :"owner" SET idle_in_transaction_session_timeout = '15min';

-- What fails is told in PostgreSQL's log without the statement and without the row: both hold what customers typed, hashes
-- of their passwords too.
ALTER ROLE :"app" SET log_min_error_statement = 'panic';
ALTER ROLE :"app" SET log_error_verbosity = 'terse';
ALTER ROLE :"owner" SET log_min_error_statement = 'panic';
ALTER ROLE :"owner" SET log_error_verbosity = 'terse';

GRANT pg_read_all_stats TO :"owner", :"app";

-- template0, so that the database is UTF-8 wherever the cluster's own locale allows it.
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING ''UTF8''', :'database', :'owner')
WHERE NOT EXISTS (SELECT 1 FROM pg_database WHERE datname = :'database') \gexec

ALTER DATABASE :"database" OWNER TO :"owner";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"app";

\connect :"database"

SET client_min_messages = warning;
SELECT pg_advisory_lock(6250150) \g /dev/null

CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gist;
