"""Which hosts are never reached through a proxy: the stack's own hosts, whatever HTTP_PROXY says.

A proxy serves calls to the outside. Where the proxy runs, loopback and the names of the stack's services mean
something else, or nothing. HTTP libraries call the hosts in NO_PROXY directly.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from itertools import chain
from urllib.parse import urlsplit

PROXIES = ("http_proxy", "https_proxy", "all_proxy")  # in either case
EXCEPTIONS = ("NO_PROXY", "no_proxy")  # libraries differ in which they read
SERVICES = ("localhost", "127.0.0.1", "::1", "airflow-webserver", "api", "frontend", "docker-proxy")
ADDRESSES = (
    "RANKALPHA_AIRFLOW_URL",
    "RANKALPHA_API_URL",
    "RANKALPHA_FRONTEND_URL",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "API_URL",
    "FRONTEND_URL",
)


def proxies(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of `env` that name proxies, or hosts to call directly."""
    return {key: value for key, value in env.items() if key.lower() in (*PROXIES, "no_proxy") and value}


def with_exceptions(env: Mapping[str, str]) -> dict[str, str]:
    """Return NO_PROXY and no_proxy with the hosts to call directly; an empty dict when `env` has no proxy.

    Added are the stack's own hosts, and the hosts in `env` that only this machine or network knows.
    """
    given = proxies(env)
    if not any(key.lower() in PROXIES for key in given):
        return {}
    listed = chain.from_iterable(env.get(key, "").split(",") for key in EXCEPTIONS)
    own = (_host(env.get(key, "")) for key in ADDRESSES)
    known_here = (_host(value) for key, value in env.items() if key not in given and is_own(value))
    hosts = dict.fromkeys(host.strip() for host in (*listed, *SERVICES, *own, *known_here))
    return dict.fromkeys(EXCEPTIONS, ",".join(filter(None, hosts)))


def direct(url: str) -> dict[str, str]:
    """Return the argument `proxies` of requests that makes it call a host of our own directly."""
    return {"no_proxy": _host(url)} if is_own(url) else {}


def is_own(url: str) -> bool:
    """Return whether only this machine or network knows the host of `url`: loopback, or without a dot."""
    host = _host(url)
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return bool(host) and "." not in host


def _host(url: str) -> str:
    """Return the host of an http or https address, an empty string for anything else."""
    try:
        return (url.startswith(("http://", "https://")) and urlsplit(url).hostname) or ""
    except ValueError:
        return ""
