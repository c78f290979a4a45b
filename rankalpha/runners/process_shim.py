"""Watches one process of the process runner, as a container's shim does; it outlives the runner.

It runs as a file, with nothing but the standard library, because each stage has one:
`shim.py <lock's descriptor> <bytes of a file> <working folder> <command> ...`. It writes to the folder that
it is started in, also after a renaming: `started.json`, `output` (`<time> <line>`) and, at the end,
`exit.json`. The lock is held while it or the stage is alive.

The output is bounded, as an engine's log is: when `output` has so many bytes it becomes `output.1`, in place
of an older file. A line is cut after a million characters.

`exit.json` says what the stage used, as the kernel counts it: CPU time of the stage and of the children that
it waited for, and the peak resident memory of the largest of them. The least is the memory of this process
when it started the stage, about 10 MB.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Any

CANNOT_START = 127
PIECE = 64 * 1024
PIECES = 16  # of a line that are kept
DRAIN_SECONDS = 2  # for the output when the stage has ended; a process outside its group may hold it open


class Output:
    """Keeps the last lines in two files, each of `most` bytes and the line that exceeds them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._file = _begun()

    def write(self, text: str) -> None:
        """Write a line, or a part of one."""
        self._file.write(text.encode())
        self._file.flush()
        if text.endswith("\n") and self._file.tell() >= self._most:
            self.close()
            Path("output").replace("output.1")
            self._file = _begun()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _begun() -> IO[bytes]:
    return Path("output").open("ab")


def watch(lock: int, most: int, working_dir: str, command: list[str]) -> None:
    """Run the command to its end."""
    with closing(Output(most)) as output:
        try:
            process = subprocess.Popen(
                command,
                cwd=working_dir,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # a group of its own, so that its children can be reached
                pass_fds=[lock],
            )
        except (OSError, ValueError) as error:
            output.write(f"{_now()} cannot start {command} in {working_dir}: {error}\n")
            _write("started", {"pid": 0, "time": _now()})
            _write("exit", {"status": CANNOT_START, "time": _now()})
            return
        signal.signal(signal.SIGTERM, lambda *_: _signal_group(process.pid, signal.SIGTERM))
        _write("started", {"pid": process.pid, "time": _now()})
        reader = threading.Thread(target=_copy, args=(process.stdout, output), daemon=True)
        reader.start()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # not reaped: its group stays its own
        _signal_group(process.pid, signal.SIGKILL)  # children that are still alive, as the engine does
        reader.join(DRAIN_SECONDS)
        _, code, used = os.wait4(process.pid, 0)
        status = os.waitstatus_to_exitcode(code)
        usage = {
            "cpu_seconds": used.ru_utime + used.ru_stime,
            "peak_memory_bytes": used.ru_maxrss * 1024,
        }
        ended = {"status": status if status >= 0 else 128 - status, "time": _now(), "usage": usage}
        _write("exit", ended)


def _copy(printed: IO[str], output: Output) -> None:
    with printed:  # if writing fails, the stage does not wait for a reader
        pieces = 0  # of the line that has begun
        while piece := printed.readline(PIECE):  # a line may be longer than the memory
            ends = piece.endswith("\n")
            if not pieces:
                output.write(f"{_now()} {piece.rstrip()}\n" if ends else f"{_now()} {piece}")
            elif pieces < PIECES:
                output.write(piece)
            elif ends:
                output.write("\n")
            pieces = 0 if ends else pieces + 1
        if pieces:
            output.write("\n")


def _signal_group(leader: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, number)


def _write(name: str, value: dict[str, Any]) -> None:
    new = Path(f"{name}.new")
    new.write_text(json.dumps(value), encoding="utf-8")
    new.replace(f"{name}.json")


def _now() -> str:
    """Return the time in the form of Docker's logs: UTC, with nanoseconds."""
    seconds, nanoseconds = divmod(time.time_ns(), 10**9)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanoseconds:09d}Z"


if __name__ == "__main__":
    watch(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
    os._exit(0)  # Python would wait for a reader that still reads, or fail
