-- One row per person whose last name begins so, in the order of that index. Parameters: pattern (lower case), most.
SELECT u.id
FROM users AS u
WHERE lower(u.last_name) LIKE %(pattern)s
ORDER BY lower(u.last_name) USING ~<~ -- noqa: PRS
LIMIT %(most)s
