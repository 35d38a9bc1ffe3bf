#!/bin/sh
# Start Valkey, which speaks Redis: rate limits and the queue of tasks, or, with REDIS_KEEPS=nothing, answers to customers.
# The password goes into a file in memory (a tmpfs in docker-compose.yml), so that the list of processes does not show it.
set -eu

: "${REDIS_PASSWORD:?set REDIS_PASSWORD}"
config=${VALKEY_CONFIG:-/run/valkey/valkey.conf}

# volatile-lru: under pressure what expires gives way; queued tasks, which do not, stay. Answers may all go, and must not
# come back.
case ${REDIS_KEEPS:-tasks} in
tasks) appendonly=yes policy=volatile-lru ;;
nothing) appendonly=no policy=allkeys-lru ;;
*) echo "REDIS_KEEPS is tasks or nothing" >&2; exit 1 ;;
esac

umask 077
cat > "$config" <<END
dir ${VALKEY_DATA:-/data}
port ${VALKEY_PORT:-6379}
requirepass $REDIS_PASSWORD
save ""
appendonly $appendonly
maxmemory ${REDIS_MAXMEMORY:-256mb}
maxmemory-policy $policy
END
unset REDIS_PASSWORD
exec valkey-server "$config"
