-- One event for each of `events`, over the days up to `until`: a tenth are about user1, one in twenty is an officer's.
-- Parameters: events, users, first_user (id), officer (id), days, until.
INSERT INTO audit_events (actor_id, verb, subject_type, subject_id, facts, address, request_id, at)
SELECT
    CASE WHEN mod(n, 20) = 1 THEN %(officer)s ELSE u.id END AS actor_id,
    (ARRAY[
        'session.started', 'session.ended', 'user.corrected', 'kyc.submitted',
        'kyc.document_viewed', 'wallet.frozen', 'wallet.unfrozen', 'password.changed'
    ])[mod(n, 8) + 1] AS verb,
    'user' AS subject_type,
    u.public_id::text AS subject_id,
    '{}'::jsonb AS facts,
    '10.0.0.0'::inet + mod(n, 65536) AS address,
    md5(n::text) AS request_id,
    %(until)s - make_interval(secs => (%(events)s - n) * 86400.0 * %(days)s / %(events)s) AS at
FROM generate_series(1, %(events)s::bigint) AS n
INNER JOIN users AS u
    ON u.id = %(first_user)s + CASE WHEN mod(n, 10) = 0 THEN 0 ELSE mod(n * 7919, %(users)s) END
