#!/bin/sh
# Start Valkey, which speaks Redis: cache, rate limits and the queue of tasks. The password goes into a file in memory
# (a tmpfs in docker-compose.yml), so that the list of processes does not show it.
set -eu

: "${REDIS_PASSWORD:?set REDIS_PASSWORD}"
config=${VALKEY_CONFIG:-/run/valkey/valkey.conf}

umask 077
# volatile-lru: under pressure the cache gives way, whose keys expire; queued tasks, which do not, stay.
cat > "$config" <<END
dir ${VALKEY_DATA:-/data}
port ${VALKEY_PORT:-6379}
requirepass $REDIS_PASSWORD
appendonly yes
maxmemory ${REDIS_MAXMEMORY:-256mb}
maxmemory-policy volatile-lru
END
unset REDIS_PASSWORD
exec valkey-server "$config"
