"""Serves what the declared stages need."""

import asyncio
import logging
import sys

from rankalpha.docker_proxy.allowed import Allowed
from rankalpha.docker_proxy.server import serve
from rankalpha.settings import ProxySettings, SettingsError
from rankalpha.stages import STAGES

logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
try:
    asyncio.run(serve(ProxySettings.load(), Allowed.by(STAGES)))
except (OSError, SettingsError) as problem:
    sys.exit(f"error: {problem}")
