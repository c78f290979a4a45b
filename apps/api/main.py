"""Entry point of the api container: `python apps/api/main.py`."""

import os
import sys

import uvicorn

from apps.api.app import create_app
from apps.api.settings import Settings
from apps.common.bounds import SERVER
from apps.common.logs import configure
from apps.common.stage import BadConfig


def main() -> None:
    """Serve until SIGTERM. A malformed setting ends it at once with status 78 and one line."""
    try:
        settings = Settings.from_env()
    except BadConfig as error:
        print(f"api: {error}", file=sys.stderr)
        sys.exit(os.EX_CONFIG)
    configure(settings.log_format)
    app = create_app(settings)
    # access_log: the app's own line has the batch as well; log_config: keep the format set above.
    uvicorn.run(app, host=settings.host, port=settings.port, access_log=False, log_config=None, **SERVER)


if __name__ == "__main__":
    main()
