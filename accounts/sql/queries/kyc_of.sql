-- One row: where a customer stands, and what she sent last, if anything. Parameters: user (public id).
SELECT
    u.kyc_status,
    u.kyc_tier,
    s.public_id,
    s.id_type,
    s.id_number_encrypted,
    s.passport_expires_on,
    s.status,
    s.reason,
    s.created_at,
    s.decided_at,
    d.documents
FROM users AS u
LEFT JOIN LATERAL (
    SELECT
        k.id,
        k.public_id,
        k.id_type,
        k.id_number_encrypted,
        k.passport_expires_on,
        k.status,
        k.reason,
        k.created_at,
        k.decided_at
    FROM kyc_submissions AS k
    WHERE k.user_id = u.id
    ORDER BY k.id DESC
    LIMIT 1
) AS s ON TRUE
LEFT JOIN LATERAL (
    SELECT
        jsonb_agg(
            jsonb_build_object(
                'id', f.public_id,
                'kind', f.kind,
                'content_type', f.content_type,
                'asked_again', nullif(f.asked_again_reason, '')
            )
            ORDER BY f.id
        ) AS documents
    FROM kyc_documents AS f
    WHERE
        f.submission_id = s.id
        AND NOT EXISTS (
            SELECT 1
            FROM kyc_documents AS r
            WHERE r.replaces_id = f.id
        )
) AS d ON TRUE
WHERE u.public_id = %(user)s
