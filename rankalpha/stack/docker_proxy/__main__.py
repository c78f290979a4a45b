"""Serves what the declared stages need."""

import asyncio
import sys

from rankalpha.logs import configure
from rankalpha.pipeline.markets import markets
from rankalpha.settings import ProxySettings, SettingsError
from rankalpha.stack.docker_proxy.allowed import Allowed
from rankalpha.stack.docker_proxy.server import serve
from rankalpha.stages import stages_of

try:
    configure()
    stages = (stage for market in markets() for stage in stages_of(market))
    asyncio.run(serve(ProxySettings.load(), Allowed.by(stages)))
except (OSError, SettingsError) as problem:
    sys.exit(f"error: {problem}")
