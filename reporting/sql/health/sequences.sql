-- One row per sequence that counts upwards and does not begin anew, whatever is used most first. Its last value is null
-- before the first use, and where this role may not read it.
SELECT
    s.sequencename AS sequence_name,
    s.max_value AS last_possible,
    s.last_value AS last_used,
    coalesce((s.last_value::float8 - s.min_value) / (s.max_value::float8 - s.min_value), 0) AS used_share,
    has_sequence_privilege(quote_ident(s.schemaname) || '.' || quote_ident(s.sequencename), 'USAGE, SELECT')
        AS is_readable
FROM pg_sequences AS s
WHERE s.schemaname = 'public' AND s.increment_by > 0 AND NOT s.cycle
ORDER BY used_share DESC, is_readable ASC, s.sequencename ASC
LIMIT %(most)s
