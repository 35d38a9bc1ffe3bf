-- One row per audit event that a customer caused, or that is about any of some subjects, the newest first.
-- Each subject is probed for its newest. Parameters: user (id), types and ids of the subjects, most.
WITH subjects AS (
    SELECT DISTINCT
        s.subject_type,
        s.subject_id
    FROM unnest(%(types)s::text[], %(ids)s::text[]) AS s (subject_type, subject_id)
),

own AS (
    SELECT
        e.id,
        e.at
    FROM audit_events AS e
    WHERE e.actor_id = %(user)s
    ORDER BY e.at DESC, e.id DESC
    LIMIT %(most)s
),

about AS (
    SELECT
        n.id,
        n.at
    FROM subjects AS s
    INNER JOIN LATERAL (
        SELECT
            e.id,
            e.at
        FROM audit_events AS e
        WHERE e.subject_type = s.subject_type AND e.subject_id = s.subject_id
        ORDER BY e.at DESC, e.id DESC
        LIMIT %(most)s
    ) AS n ON TRUE
),

latest AS (
    SELECT
        b.id,
        b.at
    FROM (
        SELECT
            o.id,
            o.at
        FROM own AS o
        UNION
        SELECT
            a.id,
            a.at
        FROM about AS a
    ) AS b
    ORDER BY b.at DESC, b.id DESC
    LIMIT %(most)s
)

SELECT
    e.id,
    e.verb,
    e.subject_type,
    e.subject_id,
    e.facts,
    e.address,
    e.at,
    e.actor_id,
    u.first_name AS actor_first_name,
    u.last_name AS actor_last_name
FROM latest AS l
INNER JOIN audit_events AS e ON e.id = l.id
LEFT JOIN users AS u ON u.id = e.actor_id
ORDER BY e.at DESC, e.id DESC
