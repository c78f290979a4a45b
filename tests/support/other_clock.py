"""Another time of day for a stack: its programs load `other_clock.c`, which a C compiler makes."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tests.support.needs import needs

SOURCE = Path(__file__).with_suffix(".c")


class OtherClock:
    """A clock that is set; from then on it goes as fast as the real one."""

    def __init__(self, folder):
        self.library = folder / "other_clock.so"
        subprocess.run([needs("a C compiler"), "-shared", "-fPIC", "-o", self.library, SOURCE], check=True)
        self.ahead = 0

    def set(self, moment):
        """Let it be a moment now, such as `2026-11-29T10:00`, in UTC."""
        wanted = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        self.ahead = round((wanted - datetime.now(UTC)).total_seconds())

    @property
    def env(self):
        """What a program that has this clock needs in its environment."""
        return {"LD_PRELOAD": str(self.library), "CLOCK_AHEAD": str(self.ahead)}
