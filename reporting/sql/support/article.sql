-- One row at most: the approved article that answers a question best, in one of some languages, the first of them if
-- it can be: of those about its intent, and of general ones that have all its words, two at least, what has them all.
-- Parameters: question, intent (null: general ones only), languages.
WITH asked AS (
    SELECT
        plainto_tsquery('english', %(question)s) AS english,
        plainto_tsquery('simple', %(question)s) AS plain
),

candidates AS (
    SELECT
        a.id,
        a.slug,
        a.language,
        a.version,
        a.title,
        a.body,
        a.intent,
        a.search,
        CASE a.language WHEN 'en' THEN q.english ELSE q.plain END AS words
    FROM support_articles AS a
    CROSS JOIN asked AS q
    WHERE a.status = 'approved' AND a.language = ANY(%(languages)s::text[])
),

fitting AS (
    SELECT
        c.id,
        c.slug,
        c.language,
        c.version,
        c.title,
        c.body,
        c.intent,
        ts_rank_cd(c.search, replace(c.words::text, '&', '|')::tsquery) AS rank,
        c.search @@ c.words AND numnode(c.words) >= 3 AS has_all
    FROM candidates AS c
)

SELECT
    f.id,
    f.slug,
    f.language,
    f.version,
    f.title,
    btrim(f.body) AS body,
    f.intent = '' AS is_general
FROM fitting AS f
WHERE f.intent = %(intent)s::text OR (f.intent = '' AND f.has_all)
ORDER BY
    f.has_all DESC,
    (f.intent = %(intent)s::text) DESC,
    array_position(%(languages)s::text[], f.language::text) ASC,
    f.rank DESC,
    f.id ASC
LIMIT 1
