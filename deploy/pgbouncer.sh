#!/bin/sh
# Start PgBouncer for the one role that goes through it, mymoolah_app. SCRAM needs the password itself on both sides, so
# it is written to memory (a tmpfs in docker-compose.yml), readable by PgBouncer's own user only.
set -eu

: "${MYMOOLAH_APP_PASSWORD:?set MYMOOLAH_APP_PASSWORD}"
users=${PGBOUNCER_USERS:-/run/pgbouncer/userlist.txt}
config=${PGBOUNCER_CONFIG:-/etc/pgbouncer/pgbouncer.ini}

umask 077
# In this file a quote is written twice.
printf '"mymoolah_app" "%s"\n' "$(printf '%s' "$MYMOOLAH_APP_PASSWORD" | sed 's/"/""/g')" > "$users"
unset MYMOOLAH_APP_PASSWORD
exec pgbouncer "$config"
