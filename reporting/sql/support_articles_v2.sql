-- What the first versions said wrongly, said rightly in a second version, written for the system and approved with it:
-- what a freeze stops and what it leaves, whose money is that was paid to the wrong person, and what is cancelled while
-- frozen. Where staff have written a version of their own, theirs stays.
WITH corrected (slug, body) AS (
    VALUES
    ('freeze-a-wallet', $$
Freeze each wallet at once, from any device on which you can sign in: from that moment nobody can send money from it, pay
into it, or make a voucher with it. A voucher or cash-out that was made before can still be used: cancel it under your
vouchers, which a frozen wallet allows, and tell us of a standard voucher that you did not make. Then sign out everywhere
else, choose another password, and ask your network to block the number. A colleague unfreezes a wallet after asking
questions that only you can answer. Never tell anybody a code, not even somebody who says that he is from us.$$),
    ('paid-the-wrong-person', $$
A transfer arrives at once, and we cannot take it back by ourselves. If you know the person, ask them to send it back. A
colleague looks at every report: tell us which transfer it was and whom you meant to pay. Before you send, look at the
name that is shown: it is the name of the person who will be paid.$$)
),

quoted AS (
    SELECT
        a.id,
        a.slug,
        a.intent,
        a.title,
        c.body
    FROM support_articles AS a
    INNER JOIN corrected AS c ON c.slug = a.slug
    WHERE
        a.language = 'en'
        AND a.version = 1
        AND a.author_id IS NULL
        AND a.status = 'approved'
        AND NOT EXISTS (
            SELECT 1
            FROM support_articles AS l
            WHERE l.slug = a.slug AND l.language = 'en' AND l.version > 1
        )
),

retired AS (
    UPDATE support_articles AS a
    SET status = 'retired'
    FROM quoted AS q
    WHERE a.id = q.id
    RETURNING a.id
)

INSERT INTO support_articles (slug, language, version, intent, title, body, status, approved_at, created_at)
SELECT
    q.slug,
    'en' AS language,
    2 AS version,
    q.intent,
    q.title,
    replace(btrim(q.body, E'\n'), E'\n', ' ') AS body,
    'approved' AS status,
    now() AS approved_at,
    now() AS created_at
FROM quoted AS q
INNER JOIN retired AS r ON r.id = q.id
