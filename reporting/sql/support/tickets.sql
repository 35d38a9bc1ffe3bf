-- One row, one JSON: the tickets of a customer that are not closed, but for the one that asks for a person, with which
-- asking once more goes on. Parameters: user (public id).
SELECT
    json_build_object(
        'state', CASE WHEN count(t.id) = 0 THEN 'none' ELSE 'some' END,
        'tickets', coalesce(
            json_agg(
                json_build_object(
                    'id', t.public_id,
                    'intent', t.intent,
                    'status', t.status,
                    'on', to_char(t.created_at AT TIME ZONE 'Africa/Johannesburg', 'YYYY-MM-DD HH24:MI')
                )
                ORDER BY t.id
            ) FILTER (WHERE t.id IS NOT NULL),
            '[]'::json
        )
    )::text AS data
FROM users AS p
LEFT JOIN support_tickets AS t ON t.user_id = p.id AND t.status <> 'closed' AND t.intent <> 'human'
WHERE p.public_id = %(user)s
GROUP BY p.id
