# postgres:17, with what a compose file expects of the official image: POSTGRES_USER, POSTGRES_DB and
# POSTGRES_PASSWORD (each also as …_FILE) and /docker-entrypoint-initdb.d when the database is made, and the server
# running as postgres
FROM debian:trixie-slim
ENV LANG=C.UTF-8 \
    PGDATA=/var/lib/postgresql/data \
    PATH=/usr/lib/postgresql/17/bin:$PATH
# postgresql-common comes first, to be told not to make Debian's own database
RUN --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/lib/apt/lists \
    useradd --system --user-group --uid 999 --home-dir /var/lib/postgresql --shell /bin/bash postgres && \
    apt-get update -qq && \
    apt-get install -y -qq --no-install-recommends postgresql-common && \
    echo 'create_main_cluster = false' >> /etc/postgresql-common/createcluster.conf && \
    apt-get install -y -qq --no-install-recommends postgresql-17 && \
    sed -i "s/^#listen_addresses.*/listen_addresses = '*'/" /usr/share/postgresql/17/postgresql.conf.sample && \
    install -d -o postgres -g postgres -m 1777 "$PGDATA" /var/run/postgresql && \
    install -d /docker-entrypoint-initdb.d
COPY --chmod=755 <<'EOF' /usr/local/bin/docker-entrypoint.sh
#!/bin/bash
set -e
[[ $1 != -* ]] || set -- postgres "$@"
[ "$1" = postgres ] || exec "$@"
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown -R postgres: "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  for name in POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB; do
    file=${name}_FILE
    [ -z "${!file}" ] || export "$name=$(< "${!file}")"
  done
  : "${POSTGRES_PASSWORD:?is needed, or POSTGRES_PASSWORD_FILE}"
  export POSTGRES_USER=${POSTGRES_USER:-postgres}
  export POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
  chmod 700 "$PGDATA"
  initdb --username="$POSTGRES_USER" --pwfile=<(echo "$POSTGRES_PASSWORD")
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  # nobody but the scripts connects before they are done
  pg_ctl --wait start -o "-c listen_addresses=''"
  run_sql() { psql -v ON_ERROR_STOP=1 --no-psqlrc --username="$POSTGRES_USER" "$@"; }
  [ "$POSTGRES_DB" = postgres ] || run_sql --dbname=postgres -c "CREATE DATABASE \"$POSTGRES_DB\""
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
      *.sql) run_sql --dbname="$POSTGRES_DB" -f "$file" ;;
    esac
  done
  pg_ctl --wait --mode=fast stop
fi
exec "$@"
EOF
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
EXPOSE 5432
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
