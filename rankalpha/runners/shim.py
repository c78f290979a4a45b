"""Watches one process of the process runner, as a container's shim does; the runner may die, this stays.

Run as a file, with nothing but the standard library, for there is one beside each stage:
`shim.py <folder> <lock's descriptor> <working folder> <command> ...`. It writes to the folder:
`started.json`, `output` (`<time> <line>`) and, at the end, `exit.json`. The lock is held while it or the
stage lives.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

CANNOT_START = 127


def watch(folder: Path, lock: int, working_dir: str, command: list[str]) -> None:
    """Run the command to its end."""
    with (folder / "output").open("a", encoding="utf-8") as output:
        try:
            process = subprocess.Popen(
                command,
                cwd=working_dir,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,  # a group of its own, so that its children can be reached
                pass_fds=[lock],
            )
        except (OSError, ValueError) as error:
            output.write(f"{_now()} cannot start {command} in {working_dir}: {error}\n")
            _write(folder / "started.json", {"pid": 0, "time": _now()})
            _write(folder / "exit.json", {"status": CANNOT_START, "time": _now()})
            return
        signal.signal(signal.SIGTERM, lambda *_: os.killpg(process.pid, signal.SIGTERM))
        _write(folder / "started.json", {"pid": process.pid, "time": _now()})
        threading.Thread(target=_end_with_leader, args=(process,), daemon=True).start()
        for line in process.stdout or ():
            output.write(f"{_now()} {line.rstrip()}\n")
            output.flush()
        status = process.wait()
    _write(folder / "exit.json", {"status": status if status >= 0 else 128 - status, "time": _now()})


def _end_with_leader(process: "subprocess.Popen[str]") -> None:
    """Kill what the stage has left behind, as the engine does; it would hold the output open for ever."""
    with suppress(ChildProcessError, ProcessLookupError):
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # not reaped: its group stays its own
        os.killpg(process.pid, signal.SIGKILL)


def _write(path: Path, value: dict[str, Any]) -> None:
    new = path.with_suffix(".new")
    new.write_text(json.dumps(value), encoding="utf-8")
    new.replace(path)


def _now() -> str:
    """Return the time as Docker's logs give it: UTC, with nanoseconds."""
    seconds, nanoseconds = divmod(time.time_ns(), 10**9)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanoseconds:09d}Z"


if __name__ == "__main__":
    watch(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
