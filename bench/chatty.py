"""Measure a chatty stage: 1,000,000 lines of 200 bytes, followed as in a triggerer.

`bench/chatty.py [lines] [bytes]` runs the stage with the process runner, logs its output to a socket as a
triggerer does, with Airflow's own processing at the other end. It prints how long the stage and its following
took, how late the event loop was at most, how much processor time its longest step took, and the log's size.
"""

import asyncio
import json
import logging
import multiprocessing
import os
import socket
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

FOLDER = Path(tempfile.mkdtemp(prefix="chatty-"))
os.environ |= {
    "RANKALPHA_RUNNER": "process",
    "RANKALPHA_PROCESS_DIR": str(FOLDER / "processes"),
    "RANKALPHA_APP_DIR": str(FOLDER),
    "AIRFLOW_HOME": str(FOLDER / "airflow"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
}
LINES, BYTES = map(int, (sys.argv[1:] + ["1000000", "200"][len(sys.argv) - 1 :]))
STAGE = f"import sys\nfor n in range({LINES}): sys.stdout.write('x' * {BYTES - 1} + '\\n')\n"


def supervise(logs: socket.socket) -> None:
    """Read what a triggerer logs, and write it as Airflow's supervisor does."""
    import msgspec
    import structlog
    from airflow.sdk.log import logging_processors

    with (FOLDER / "log").open("wb") as file, logs.makefile("rb") as lines:
        log = structlog.wrap_logger(
            structlog.BytesLogger(file), processors=logging_processors(json_output=True)
        )
        for line in lines:
            event = msgspec.json.decode(line)
            event.pop("level", None)
            log.info(event.pop("event", None), **event)


async def held_up(longest: list[float]) -> None:
    """Keep the longest time that the loop was late, as Airflow's own watchdog sees it."""
    while True:
        begun, used = time.monotonic(), time.thread_time()
        await asyncio.sleep(0.02)
        longest[0] = max(longest[0], time.monotonic() - begun - 0.02)
        longest[1] = max(longest[1], time.thread_time() - used)


async def follow() -> None:
    """Run the stage and follow it."""
    from rankalpha.containers import task_log
    from rankalpha.containers.follow import Follower
    from rankalpha.runners.process import ProcessRunner

    (FOLDER / "main.py").write_text(STAGE, encoding="utf-8")
    job = SimpleNamespace(
        stage=SimpleNamespace(
            name="chatty", working_dir="/app", data_dir_keys=(), market=SimpleNamespace(folder="")
        ),
        command=f"{sys.executable} main.py",
        env={},
        labels={},
        image="none",
    )
    runner = ProcessRunner()
    container = runner.create(job, "rankalpha-chatty")
    begun, longest = time.monotonic(), [0.0, 0.0]
    runner.start(container, job)
    watch = asyncio.create_task(held_up(longest))
    follower = Follower(runner, container.id, task_log.write, logging.getLogger("follow"))
    end = await follower.follow(timedelta(hours=1))
    took = time.monotonic() - begun
    watch.cancel()
    stage = runner.inspect(container.id)
    print(
        json.dumps(
            {
                "end": end,
                "stage_seconds": round((stage.ended - stage.started).total_seconds(), 1),
                "followed_seconds": round(took, 1),
                "loop_late_seconds": round(longest[0], 3),
                "loop_step_cpu_seconds": round(longest[1], 3),
                "log_bytes": (FOLDER / "log").stat().st_size,
            }
        ),
        file=sys.stderr,
    )


if __name__ == "__main__":
    ours, theirs = socket.socketpair()
    supervisor = multiprocessing.get_context("fork").Process(target=supervise, args=(theirs,))
    supervisor.start()
    theirs.close()
    from airflow.sdk.log import configure_logging

    configure_logging(json_output=True, output=ours.makefile("wb", buffering=0))
    asyncio.run(follow())
    ours.close()
    supervisor.terminate()
