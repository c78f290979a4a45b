"""Entry point of the frontend container: `python apps/frontend/main.py`."""

import logging
import os
import sys

import uvicorn

from apps.common.bounds import SERVER
from apps.common.logs import configure
from apps.common.stage import BadConfig
from apps.frontend.app import create_app
from apps.frontend.settings import Settings


def main() -> None:
    """Serve until SIGTERM. A malformed setting ends it at once with status 78 and one line."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log each request to the API
    try:
        settings = Settings.from_env()
    except BadConfig as error:
        print(f"frontend: {error}", file=sys.stderr)
        sys.exit(os.EX_CONFIG)
    configure(settings.log_format)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,  # keep the format set above
        timeout_graceful_shutdown=2,  # open pages never close their event stream
        **SERVER,
    )


if __name__ == "__main__":
    main()
