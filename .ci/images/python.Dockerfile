# python:3.13-slim-trixie, with Debian's own Python 3.13
FROM debian:trixie-slim
ENV LANG=C.UTF-8
RUN --mount=type=tmpfs,target=/var/cache/apt --mount=type=tmpfs,target=/var/lib/apt/lists \
    apt-get update -qq && \
    apt-get install -y -qq --no-install-recommends python3 python3-pip python3-venv netbase tzdata && \
    ln -s /usr/bin/python3 /usr/local/bin/python && \
    rm /usr/lib/python3*/EXTERNALLY-MANAGED
# this machine's package index, if it has one of its own
ARG PIP_CONF
RUN printf '%s\n' "$PIP_CONF" > /etc/pip.conf
CMD ["python3"]
