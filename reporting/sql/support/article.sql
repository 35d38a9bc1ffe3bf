-- One row at most: the approved article that answers a question best, in one of some languages, the first of them if
-- it can be; what is written about its intent before what only has words in common.
-- Parameters: question, intent, languages.
WITH asked AS (
    -- Words that any of have to be there, each as its language knows it; no question can be no query.
    SELECT
        replace(plainto_tsquery('english', %(question)s)::text, '&', '|')::tsquery AS english,
        replace(plainto_tsquery('simple', %(question)s)::text, '&', '|')::tsquery AS plain
)

SELECT
    a.id,
    a.slug,
    a.language,
    a.version,
    a.title,
    a.body
FROM support_articles AS a
CROSS JOIN asked AS q
WHERE
    a.status = 'approved'
    AND a.language = ANY(%(languages)s::text[])
    AND (
        a.intent = %(intent)s
        OR a.search @@ CASE a.language WHEN 'en' THEN q.english ELSE q.plain END
    )
ORDER BY
    (a.intent = %(intent)s) DESC,
    array_position(%(languages)s::text[], a.language::text),
    ts_rank_cd(a.search, CASE a.language WHEN 'en' THEN q.english ELSE q.plain END) DESC,
    a.id
LIMIT 1
