-- One row at most: the approved article that answers a question best, in one of some languages, the first of them if
-- it can be: of those about its intent, and of general ones that have all its words, two at least, what has them all.
-- General ones are found along the index of what articles are searched by.
-- Parameters: question, intent (null: general ones only), languages.
WITH asked AS (
    SELECT
        plainto_tsquery('english', %(question)s) AS english,
        plainto_tsquery('simple', %(question)s) AS plain
),

general AS (
    SELECT a.id
    FROM asked AS q
    INNER JOIN support_articles AS a ON a.search @@ q.english AND a.language = 'en'
    WHERE numnode(q.english) >= 3 AND a.intent = '' AND a.status = 'approved'
    UNION ALL
    SELECT a.id
    FROM asked AS q
    INNER JOIN support_articles AS a ON a.search @@ q.plain AND a.language <> 'en'
    WHERE numnode(q.plain) >= 3 AND a.intent = '' AND a.status = 'approved'
),

fitting AS (
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
    WHERE
        a.status = 'approved'
        AND a.language = ANY(%(languages)s::text[])
        AND (a.intent = %(intent)s::text OR a.id IN (SELECT g.id FROM general AS g))
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
ORDER BY
    (f.search @@ f.words AND numnode(f.words) >= 3) DESC,
    (f.intent = %(intent)s::text) DESC,
    array_position(%(languages)s::text[], f.language::text) ASC,
    ts_rank_cd(f.search, replace(f.words::text, '&', '|')::tsquery) DESC,
    f.id ASC
LIMIT 1
