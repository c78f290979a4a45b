"""Which hosts are never reached through a proxy: the stack's own, whatever HTTP_PROXY says.

A proxy serves calls to the outside. Loopback and the names of the stack's services mean something else, or
nothing, where the proxy runs. HTTP libraries leave out the hosts that NO_PROXY lists.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from itertools import chain
from urllib.parse import urlsplit

PROXIES = ("http_proxy", "https_proxy", "all_proxy")  # in either case
EXCEPTIONS = ("NO_PROXY", "no_proxy")  # some libraries read the one, some the other
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
    """Return what `env` says of proxies, and of what goes through none."""
    return {key: value for key, value in env.items() if key.lower() in (*PROXIES, "no_proxy") and value}


def with_exceptions(env: Mapping[str, str]) -> dict[str, str]:
    """Return NO_PROXY and no_proxy with the hosts that need no proxy added; nothing when `env` has no proxy.

    These are the stack's own, and those of addresses in `env` that only this machine or network knows.
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
    """Return the `proxies` that requests is given, so that it reaches what is_own through no proxy."""
    return {"no_proxy": _host(url)} if is_own(url) else {}


def is_own(url: str) -> bool:
    """Tell whether only this machine or network knows the host of `url`: loopback, or a name without dots."""
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
