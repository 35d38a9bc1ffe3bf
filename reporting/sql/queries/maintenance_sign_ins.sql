-- One row: how often people signed in, failed to, were locked out for it, and how many pages colleagues were refused.
SELECT
    count(*) FILTER (WHERE a.verb IN ('sign_in.failed', 'second_factor.failed')) AS failed,
    count(*) FILTER (WHERE a.verb IN ('sign_in.locked', 'second_factor.locked')) AS locked,
    count(*) FILTER (WHERE a.verb IN ('session.started', 'staff.signed_in')) AS signed_in,
    count(*) FILTER (WHERE a.verb = 'permission.refused') AS refused
FROM audit_events AS a
WHERE
    a.verb IN (
        'sign_in.failed',
        'second_factor.failed',
        'sign_in.locked',
        'second_factor.locked',
        'session.started',
        'staff.signed_in',
        'permission.refused'
    )
    AND a.at >= %(starts_at)s
    AND a.at < %(ends_at)s
