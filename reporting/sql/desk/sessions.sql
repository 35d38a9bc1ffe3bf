-- One device for each of `sessions`: one in a hundred is user1's, those older than thirty days have ended.
-- Parameters: sessions, users, first_user (id), days, until.
WITH begun AS (
    SELECT
        n AS place,
        %(until)s - make_interval(secs => (%(sessions)s - n) * 86400.0 * %(days)s / %(sessions)s) AS at
    FROM generate_series(1, %(sessions)s::bigint) AS n
)

INSERT INTO login_sessions (
    public_id, user_id, device, address, token_digest, rotated_at, created_at, last_used_at, expires_at, revoked_at
)
SELECT
    gen_random_uuid() AS public_id,
    %(first_user)s + CASE WHEN mod(b.place, 100) = 0 THEN 0 ELSE mod(b.place * 7919, %(users)s) END AS user_id,
    'A telephone' AS device,
    '10.0.0.0'::inet + mod(b.place, 65536) AS address,
    sha256(b.place::text::bytea) AS token_digest,
    b.at AS rotated_at,
    b.at AS created_at,
    b.at AS last_used_at,
    b.at + interval '30 days' AS expires_at,
    CASE WHEN mod(b.place, 3) = 0 THEN b.at + interval '1 day' END AS revoked_at
FROM begun AS b
