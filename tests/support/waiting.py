"""Waiting for what other processes do; a wait in vain tells for what, and what was last seen."""

import inspect
import time

SHOWN = 2000  # characters of what was last seen


def wait_for(look, seconds=14, forgive=()):
    """Return what `look` returns as soon as that is true; the default is less than the stages' time limit.

    Errors of the kinds in `forgive` count as no answer yet.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            if seen := look():
                return seen
        except forgive as error:
            seen = error
        if time.monotonic() > deadline:
            what = inspect.getsource(look).strip()
            raise AssertionError(
                f"waited {seconds:.0f} s in vain for {what}\nlast seen: {repr(seen)[:SHOWN]}"
            )
        time.sleep(0.2)
