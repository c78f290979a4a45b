"""Whether a component is healthy, for a container's health check: exit status 0 is healthy.

`python -m rankalpha.stack.probe URL [component]` asks one of Airflow's health pages for a component. When
none is named, any answer but a server's error will do. Only the standard library is used, because this runs
often.
"""

import json
import sys
from http.client import INTERNAL_SERVER_ERROR
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

TIMEOUT = 5.0  # seconds
HEALTHY = "healthy"
DIRECT = build_opener(ProxyHandler({}))  # the address is the stack's own


def problem(url: str, component: str = "") -> str:
    """Return what is wrong with a component, an empty string if nothing is."""
    try:
        with DIRECT.open(url, timeout=TIMEOUT) as response:
            status = json.load(response)[component]["status"] if component else HEALTHY
    except HTTPError as error:
        status = HEALTHY if error.code < INTERNAL_SERVER_ERROR and not component else str(error)
    except (OSError, ValueError, KeyError, TypeError) as error:
        status = repr(error)
    return "" if status == HEALTHY else f"{url}: {component} {status}"


if __name__ == "__main__":
    sys.exit(problem(*sys.argv[1:]) or None)
