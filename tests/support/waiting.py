"""Waiting for what other processes do; a wait in vain reports for what, and the last answer."""

import time

SHOWN = 2000  # characters of the last answer


def wait_for(what, look, seconds=60, forgive=()):
    """Return what `look` returns as soon as that is true; fails with `what` and the last answer or error.

    The limit only bounds how long a test that fails takes; where it is the point of a test, it is given.
    Errors of the kinds in `forgive` count as no answer yet.
    """
    deadline, pause = time.monotonic() + seconds, 0.01
    while True:
        try:
            if seen := look():
                return seen
        except forgive as error:
            seen = error
        if time.monotonic() > deadline:
            raise AssertionError(
                f"waited {seconds:.0f} s in vain for {what}; last seen: {repr(seen)[:SHOWN]}"
            )
        time.sleep(pause)
        pause = min(2 * pause, 0.2)
