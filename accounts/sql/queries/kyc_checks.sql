-- One row: what the automatic checks of a case compare; of other customers' cases, five. Parameters: submission (id).
SELECT
    s.id_type,
    s.id_number_encrypted,
    s.passport_expires_on,
    s.sought_tier,
    u.status AS user_status,
    u.first_name,
    u.last_name,
    u.kyc_tier,
    u.email_verified_at IS NOT NULL AS has_email,
    u.phone_verified_at IS NOT NULL AS has_phone,
    ARRAY(
        SELECT d.kind
        FROM kyc_documents AS d
        WHERE
            d.submission_id = s.id
            AND NOT EXISTS (
                SELECT 1
                FROM kyc_documents AS r
                WHERE r.replaces_id = d.id
            )
    ) AS kinds,
    ARRAY(
        SELECT o.public_id
        FROM kyc_submissions AS o
        WHERE
            o.id_number_index = s.id_number_index
            AND o.id_type = s.id_type
            AND o.user_id <> s.user_id
            AND o.status = 'approved'
        ORDER BY o.id DESC
        LIMIT 5
    ) AS approved_elsewhere,
    ARRAY(
        SELECT o.public_id
        FROM kyc_submissions AS o
        WHERE
            o.id_number_index = s.id_number_index
            AND o.id_type = s.id_type
            AND o.user_id <> s.user_id
            AND o.status = 'pending'
        ORDER BY o.id DESC
        LIMIT 5
    ) AS pending_elsewhere,
    EXISTS ( -- noqa: LT01, LT06
        SELECT 1
        FROM kyc_submissions AS o
        WHERE
            o.id_number_index = s.id_number_index
            AND o.id_type = s.id_type
            AND o.user_id = s.user_id
            AND o.status = 'approved'
            AND o.id <> s.id
    ) AS approved_before,
    ARRAY(
        SELECT DISTINCT o.public_id
        FROM kyc_documents AS d
        INNER JOIN kyc_documents AS e ON e.sha256 = d.sha256 AND e.submission_id <> d.submission_id
        INNER JOIN kyc_submissions AS o ON o.id = e.submission_id
        WHERE d.submission_id = s.id AND o.user_id <> s.user_id
        ORDER BY o.public_id
        LIMIT 5
    ) AS files_elsewhere,
    (
        SELECT max(a.at)
        FROM audit_events AS a
        WHERE
            a.subject_type = 'user'
            AND a.subject_id = u.public_id::text
            AND a.at >= s.created_at
            AND a.verb IN ('user.renamed', 'user.corrected')
            AND (a.facts -> 'changed') ?| ARRAY['first_name', 'last_name']
    ) AS renamed_at
FROM kyc_submissions AS s
INNER JOIN users AS u ON u.id = s.user_id
WHERE s.id = %(submission)s
