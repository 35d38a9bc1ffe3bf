-- One proposal for each of `proposals`, each about the wallet of another customer; they all wait at first.
-- Parameters: proposals, first_user (id), maker (id), until.
INSERT INTO proposals (
    public_id, command, arguments, subject_type, subject_id, reason, proposed_by_id, proposed_at, preview,
    preview_digest, status, note, result_kind, result_id
)
SELECT
    gen_random_uuid() AS public_id,
    'adjust_wallet' AS command,
    jsonb_build_object(
        'wallet', w.number, 'direction', 'credit', 'amount', '7.00', 'currency', w.currency, 'override_ceiling', FALSE
    ) AS arguments,
    'wallet' AS subject_type,
    w.number AS subject_id,
    'Case ' || n AS reason,
    %(maker)s AS proposed_by_id,
    %(until)s - make_interval(hours => (%(proposals)s - n)::integer) AS proposed_at,
    '{"wallets": [], "house": [], "facts": []}'::jsonb AS preview,
    sha256(n::text::bytea) AS preview_digest,
    'proposed' AS status,
    '' AS note,
    '' AS result_kind,
    '' AS result_id
FROM generate_series(1, %(proposals)s::bigint) AS n
INNER JOIN wallets AS w ON w.user_id = %(first_user)s + n
