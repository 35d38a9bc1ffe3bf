-- One row per customer of these names, of the first thousand whose last name begins so, along that index.
-- Parameters: last_name and first_name (patterns, lower case), most.
SELECT b.id
FROM (
    SELECT
        u.id,
        u.first_name,
        u.last_name
    FROM users AS u
    WHERE lower(u.last_name) LIKE %(last_name)s
    ORDER BY lower(u.last_name) USING ~<~ -- noqa: PRS
    LIMIT 1000
) AS b
WHERE lower(b.first_name) LIKE %(first_name)s
ORDER BY b.last_name, b.first_name, b.id
LIMIT %(most)s
