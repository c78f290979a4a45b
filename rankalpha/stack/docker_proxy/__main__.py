"""Serves what the declared stages need."""

import asyncio
import sys

from rankalpha.logs import configure
from rankalpha.pipeline.markets import markets
from rankalpha.settings import ProxySettings, SettingsError
from rankalpha.stack.docker_proxy.allowed import Allowed
from rankalpha.stack.docker_proxy.server import serve
from rankalpha.stages import STAGES

try:
    configure()
    asyncio.run(
        serve(ProxySettings.load(), Allowed.by(stage.of(market) for market in markets() for stage in STAGES))
    )
except (OSError, SettingsError) as problem:
    sys.exit(f"error: {problem}")
