"""The headings of the runbook, docs/operate/runbook.md, to which each alert and incident leads."""

import re
from enum import StrEnum

from rankalpha.settings import settings

PAGE = "docs/operate/runbook.md"  # in the checkout, when RANKALPHA_RUNBOOK_URL is not set
LINE = "Runbook: "


class Heading(StrEnum):
    """A heading of the runbook; a test compares these with the page."""

    BLOCKED = "Publication blocked"
    FAILED = "A stage or grading failed"
    NO_BATCH = "A run of no batch failed"
    FRONTEND = "The page was not notified"
    LATE = "A run has missed its deadline"
    PAUSED = "A paused DAG holds batches"
    OVERDUE = "A batch is not graded in time"
    MISSING = "The day has no batch"
    COMPONENT = "A component of Airflow gives no heartbeat"
    UNSENT = "Alerts could not be sent"
    HOUSEKEEPING = "The watchdog or the maintenance failed"
    UNVERIFIED = "Published data failed verification"
    ENDED = "A person has ended a stage"

    @property
    def anchor(self) -> str:
        """The heading in an address."""
        return anchor_of(self)


def anchor_of(heading: str) -> str:
    """Return a heading in an address, as GitHub and other readers of Markdown make it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def leading_to(heading: Heading, *lines: str) -> str:
    """Return the text of an incident: its lines, then the address of its heading in the runbook."""
    return "\n".join([*lines, f"{LINE}{settings().runbook_url or PAGE}#{heading.anchor}"])


def without_runbook(text: str) -> str:
    """Return the text of an incident without the address, for a text that leads to another heading."""
    return "\n".join(line for line in text.splitlines() if not line.startswith(LINE))
