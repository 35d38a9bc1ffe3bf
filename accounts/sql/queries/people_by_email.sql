-- One row per person whose e-mail begins so, in the order of that index. Parameters: pattern (lower case), most.
SELECT u.id
FROM users AS u
WHERE lower(u.email) LIKE %(pattern)s
ORDER BY lower(u.email) USING ~<~ -- noqa: PRS
LIMIT %(most)s
