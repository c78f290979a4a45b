"""A clock that a test sets, for all processes of a stack: a library that each of them loads first."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tests.support.needs import needs

SOURCE = Path(__file__).with_suffix(".c")


def using(library):
    """The environment of what is to have the clock of a library.

    Polars' allocator has a thread that sleeps until a time of day: one of this clock, by the clock of the
    machine, which is later already. So it would never sleep, and is left out.
    """
    return {"LD_PRELOAD": str(library), "_RJEM_MALLOC_CONF": "background_thread:false"}


def set_clock(library, moment):
    """Write the library; what is started `using` it from now on begins at that moment."""
    offset = round((moment - datetime.now(UTC)).total_seconds())
    library.unlink(missing_ok=True)  # what runs keeps its own
    compile_it = [needs("cc"), "-O2", "-shared", "-fPIC", f"-DOFFSET={offset}", "-o", library, SOURCE]
    subprocess.run(compile_it, check=True)
