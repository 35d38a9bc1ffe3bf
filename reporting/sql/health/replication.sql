-- One row per standby of this server; and of a standby one about itself. A standby that has replayed all it received
-- lags by nothing, however long nothing was written; before the first transaction it replays, since it was started. A
-- primary does not hear how late a standby is whose replay is paused, so bytes count as well.
SELECT
    r.application_name AS standby,
    FALSE AS is_this,
    FALSE AS is_paused,
    r.state = 'streaming' AS is_streaming,
    r.sync_state,
    coalesce(extract(EPOCH FROM r.replay_lag), 0)::float8 AS lag_seconds,
    pg_wal_lsn_diff(
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
        r.replay_lsn
    )::bigint AS behind_bytes
FROM pg_stat_replication AS r
UNION ALL
SELECT
    'this server' AS standby,
    TRUE AS is_this,
    pg_is_wal_replay_paused() AS is_paused,
    EXISTS(
        SELECT 1 FROM pg_stat_wal_receiver AS w
        WHERE w.status = 'streaming'
    ) AS is_streaming,
    NULL AS sync_state,
    CASE
        WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
        ELSE extract(
            EPOCH FROM clock_timestamp() - coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time())
        )
    END::float8 AS lag_seconds,
    pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::bigint AS behind_bytes
WHERE pg_is_in_recovery()
ORDER BY lag_seconds DESC
LIMIT %(most)s
