"""A clock that a test sets, for all processes of a stack: a library that each of them loads first."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tests.support.needs import needs

SOURCE = Path(__file__).with_suffix(".c")


def set_clock(library, moment):
    """Write the library; what is started with LD_PRELOAD=`library` from now on begins at that moment."""
    offset = round((moment - datetime.now(UTC)).total_seconds())
    library.unlink(missing_ok=True)  # what runs keeps its own
    compile_it = [needs("cc"), "-O2", "-shared", "-fPIC", f"-DOFFSET={offset}", "-o", library, SOURCE]
    subprocess.run(compile_it, check=True)
