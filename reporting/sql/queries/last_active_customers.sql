-- One row per device, the one used last first, with whose it is: each use of a device's refresh token makes it good for
-- as long again, so that the index on that moment is an order of use. Parameters: last_at and last_id (where the batch
-- before ended), most.
SELECT
    u.public_id,
    s.expires_at,
    s.id
FROM (
    SELECT
        l.user_id,
        l.revoked_at,
        l.expires_at,
        l.id
    FROM login_sessions AS l
    WHERE l.expires_at <= %(last_at)s AND (l.expires_at < %(last_at)s OR l.id < %(last_id)s)
    ORDER BY l.expires_at DESC, l.id DESC
    LIMIT %(most)s
) AS s
LEFT JOIN users AS u ON u.id = s.user_id AND s.revoked_at IS NULL AND u.status = 'active' AND NOT u.is_staff
ORDER BY s.expires_at DESC, s.id DESC
