-- One row per proposal about any of some subjects, the newest first. Parameters: types and ids of the subjects, most.
WITH subjects AS (
    SELECT DISTINCT
        s.subject_type,
        s.subject_id
    FROM unnest(%(types)s::text[], %(ids)s::text[]) AS s (subject_type, subject_id)
)

SELECT
    p.id,
    p.command,
    p.arguments,
    p.reason,
    p.status,
    p.proposed_at,
    p.decided_at,
    u.first_name || ' ' || u.last_name AS proposed_by,
    d.first_name || ' ' || d.last_name AS decided_by
FROM subjects AS s
INNER JOIN LATERAL (
    SELECT
        f.id,
        f.command,
        f.arguments,
        f.reason,
        f.status,
        f.proposed_at,
        f.decided_at,
        f.proposed_by_id,
        f.decided_by_id
    FROM proposals AS f
    WHERE f.subject_type = s.subject_type AND f.subject_id = s.subject_id
    ORDER BY f.id DESC
    LIMIT %(most)s
) AS p ON TRUE
INNER JOIN users AS u ON u.id = p.proposed_by_id
LEFT JOIN users AS d ON d.id = p.decided_by_id
ORDER BY p.id DESC
LIMIT %(most)s
