-- One row, one JSON: where a customer stands with his identity, and what became of what he sent last.
-- Parameters: user (public id).
SELECT
    json_build_object(
        'state', CASE
            WHEN p.kyc_status = 'pending' AND s.waits_for = 'customer' THEN 'asked_again'
            ELSE p.kyc_status
        END,
        'status', p.kyc_status,
        'tier', p.kyc_tier,
        'higher', CASE
            WHEN p.kyc_status = 'verified' AND p.kyc_tier < (SELECT max(l.tier) FROM tier_limits AS l) THEN '[{}]'::json
            ELSE '[]'::json
        END,
        'reason', CASE WHEN s.status = 'rejected' THEN s.reason END,
        'sent_on', to_char(s.created_at AT TIME ZONE 'Africa/Johannesburg', 'YYYY-MM-DD HH24:MI'),
        'decided_on', to_char(s.decided_at AT TIME ZONE 'Africa/Johannesburg', 'YYYY-MM-DD HH24:MI')
    )::text AS data
FROM users AS p
LEFT JOIN LATERAL (
    SELECT
        k.status,
        k.reason,
        k.waits_for,
        k.created_at,
        k.decided_at
    FROM kyc_submissions AS k
    WHERE k.user_id = p.id
    ORDER BY k.id DESC
    LIMIT 1
) AS s ON TRUE
WHERE p.public_id = %(user)s
