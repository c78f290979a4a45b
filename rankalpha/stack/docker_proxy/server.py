"""The server of the proxy."""

import asyncio
import logging
import signal
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from time import monotonic

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, UnixConnector
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError, Server, ServerRunner, TCPSite

from rankalpha.settings import ProxySettings
from rankalpha.stack.docker_proxy.allowed import Allowed, listed
from rankalpha.stack.docker_proxy.proxy import Proxy

logger = logging.getLogger(__name__)

ANSWERS_WITHIN = 10.0  # seconds
GONE_AFTER, LOOK_EACH = 30.0, 5.0  # seconds
NO_LIVE_RESTORE = (
    "the Docker engine runs without live-restore: when its daemon stops or is killed, so are the stages that "
    'run, and a retry starts them again. Set "live-restore": true in /etc/docker/daemon.json, then '
    "`systemctl reload docker`"
)


def _without_quotes(record: logging.LogRecord) -> bool:
    """Drop the traceback of what is not HTTP: it quotes the request, which may be a secret."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, (HttpProcessingError, RequestPayloadError)):
        record.msg, record.args, record.exc_info = "400 %s", (type(error).__name__,), None
    return True


async def warn_without_live_restore(engine: ClientSession) -> None:
    """Log that the engine would take running stages down with its daemon, if it would; never fails."""
    try:
        async with asyncio.timeout(ANSWERS_WITHIN), engine.get("http://docker/info") as answer:
            on = (await answer.json())["LiveRestoreEnabled"]
    except (ClientError, OSError, ValueError, KeyError) as error:  # OSError: also the time-out
        logger.warning("it is not known whether the engine has live-restore: %s", type(error).__name__)
    else:
        if not on:
            logger.warning("%s", NO_LIVE_RESTORE)


async def until_gone(path: Path) -> None:
    """Return once nobody has listened at the engine's socket for GONE_AFTER seconds.

    A daemon that was killed makes a new socket when it starts again. A container keeps the old one until it
    is started again too, which live-restore does not do.
    """
    heard = monotonic()
    while monotonic() - heard < GONE_AFTER:
        await asyncio.sleep(LOOK_EACH)
        with suppress(OSError):
            _, writer = await asyncio.open_unix_connection(path)
            writer.close()
            heard = monotonic()


async def serve(settings: ProxySettings, allowed: Allowed) -> None:
    """Serve until SIGTERM; raises ConnectionError when nobody listens at the engine's socket any more."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    engine = ClientSession(
        # a connection for each request, so that there is nothing that two of them share; any number of them
        connector=UnixConnector(str(settings.socket), force_close=True, limit=0),
        timeout=ClientTimeout(total=None, sock_connect=10),  # a stage's output may be silent for hours
        cookie_jar=DummyCookieJar(),
        headers={"Accept-Encoding": "identity"},  # its answers are passed on as they are
        auto_decompress=False,
    )
    async with engine:
        server = Server(
            Proxy(engine, settings.socket, allowed).handle,
            handler_cancellation=True,  # a client that hangs up ends its request to the engine
            auto_decompress=False,  # none of ours compresses
            access_log=None,
        )
        logging.getLogger("aiohttp.server").addFilter(_without_quotes)
        runner = ServerRunner(server, shutdown_timeout=0.1)  # streams may never end
        await runner.setup()
        await TCPSite(runner, settings.host, settings.port).start()
        logger.info("listening on %s:%s for the engine at %s", settings.host, settings.port, settings.socket)
        kinds = (f"{kind} {listed(names)}" for kind, names in asdict(allowed).items())
        logger.info("allowed: %s", "; ".join(kinds))
        looking = asyncio.create_task(warn_without_live_restore(engine))
        gone = asyncio.create_task(until_gone(settings.socket))
        gone.add_done_callback(lambda _: stopped.set())
        await stopped.wait()
        looking.cancel()
        await runner.cleanup()
        if gone.done():
            raise ConnectionError(
                f"nobody has listened at {settings.socket} for {GONE_AFTER:.0f} s; ending, so that the "
                "Docker daemon starts this container again with its present socket"
            )
        gone.cancel()
