# redis:8, with what a compose file expects of the official image: any of redis-server's arguments as the command,
# the data in /data, and the server running as redis
FROM debian:trixie-slim
RUN --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/lib/apt/lists \
    useradd --system --user-group --uid 999 --home-dir /data redis && \
    apt-get update -qq && \
    apt-get install -y -qq --no-install-recommends redis-server && \
    install -d -o redis -g redis /data
COPY --chmod=755 <<'EOF' /usr/local/bin/docker-entrypoint.sh
#!/bin/sh
set -e
case "$1" in -* | *.conf) set -- redis-server "$@" ;; esac
# the official image's server is compiled to be reached from other containers; Debian's has to be told
case "$*" in
  *protected-mode*) ;;
  redis-server*) set -- "$@" --protected-mode no ;;
esac
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
  chown -R redis: /data
  exec setpriv --reuid=redis --regid=redis --init-groups "$0" "$@"
fi
exec "$@"
EOF
VOLUME /data
WORKDIR /data
EXPOSE 6379
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["redis-server"]
