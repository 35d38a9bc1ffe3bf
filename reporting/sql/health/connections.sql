-- One row: how many connections the server has, what they do, and how many more it lets in.
SELECT
    count(*) AS used,
    count(*) FILTER (WHERE a.usename = current_user) AS used_by_role,
    count(*) FILTER (WHERE a.state = 'active') AS active,
    count(*) FILTER (WHERE a.state IN ('idle in transaction', 'idle in transaction (aborted)')) AS idle_in_transaction,
    current_setting('max_connections')::int AS allowed,
    current_setting('superuser_reserved_connections')::int
    + coalesce(current_setting('reserved_connections', TRUE)::int, 0) AS reserved,
    (
        SELECT r.rolconnlimit FROM pg_roles AS r
        WHERE r.rolname = current_user
    ) AS allowed_to_role
FROM pg_stat_activity AS a
WHERE a.datid IS NOT NULL AND coalesce(a.backend_type, 'client backend') = 'client backend'
