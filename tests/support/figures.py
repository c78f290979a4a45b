"""How much the random histories have tried: printed, and kept by `make test-histories`."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

RESULTS = Path(__file__).parents[2] / "bench" / "results" / "histories.json"
ALL = os.environ.get("HISTORIES") == "all"
EXAMPLES = 200 if ALL else 25  # histories of events, on the scheduler's own code
RUNNING = 12 if ALL else 3  # histories of whole runs, in a running stack


class Figures(Counter):
    """Counts; of one kind of history."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind

    def add(self, **counts):
        """Count these too."""
        self.update(counts)

    def show(self, say):
        """Say the counts; `make test-histories` keeps them."""
        say(f"{self.kind}: {', '.join(f'{count} {name}' for name, count in self.items())}")
        if ALL:
            kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
            RESULTS.write_text(json.dumps({**kept, self.kind: dict(self)}, indent=1) + "\n")


@pytest.fixture(scope="module")
def figures(request, say):
    """Counts what the histories of a module have tried."""
    counted = Figures(request.module.__doc__.split(":")[0])
    yield counted
    counted.show(say)
