-- One row per replication slot: what of the write-ahead log it keeps from being removed.
SELECT
    s.slot_name,
    s.active AS is_active,
    s.wal_status,
    pg_wal_lsn_diff(
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
        s.restart_lsn
    )::bigint AS kept_bytes
FROM pg_replication_slots AS s
ORDER BY kept_bytes DESC NULLS LAST
LIMIT %(most)s
