-- One row for each article that is not retired and has all the words asked for, in the words of its language: the best
-- first. Parameters: question, most.
WITH asked AS (
    SELECT
        websearch_to_tsquery('english', %(question)s) AS english,
        websearch_to_tsquery('simple', %(question)s) AS plain
)

SELECT a.id
FROM support_articles AS a
CROSS JOIN asked AS q
WHERE
    a.status <> 'retired'
    AND (
        (a.language = 'en' AND a.search @@ q.english)
        OR (a.language <> 'en' AND a.search @@ q.plain)
    )
ORDER BY
    ts_rank(a.search, CASE a.language WHEN 'en' THEN q.english ELSE q.plain END) DESC,
    a.id DESC
LIMIT %(most)s
