"""The alerts: how urgent they are, what each means, and the rules of Prometheus."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from rankalpha.alerts.incident import Urgency
from rankalpha.alerts.runbook import anchor_of
from scripts.reference.markdown import code, page, table

RULES = "docs/monitoring/rules.yml"
RUNBOOK = "docs/operate/runbook.md"
PROMETHEUS = "\n## Prometheus rules\n"  # the heading of the runbook's other part
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
MEANS = re.compile(r"(?ms)^## (.+?)$\n+- \*\*Means\*\*: (.+?)(?=^- |^#|\Z)")


def pages(root: Path) -> dict[str, str]:
    """Return the page of the alerts."""
    rules = yaml.safe_load((root / RULES).read_text())
    alerts, _, _ = (root / RUNBOOK).read_text().partition(PROMETHEUS)
    return {
        "alerts.md": page(
            "Alerts", _parts(alerts, [one for group in rules["groups"] for one in group["rules"]])
        )
    }


def _parts(alerts: str, rules: list[dict[str, Any]]) -> Iterator[str]:
    yield "The subject of an alert begins with its urgency."
    yield (
        "The [runbook](../operate/runbook.md) has a heading for each alert. [Alerts](../operate/alerts.md)\n"
        "says when they are sent."
    )
    yield table(("subject", "meaning"), ((code(one), one.meaning) for one in Urgency))
    yield "## Alerts and incidents"
    yield table(("alert", "means"), ((_link(name), _plain(what)) for name, what in MEANS.findall(alerts)))
    yield "## Rules of Prometheus"
    yield "`docs/monitoring/rules.yml` holds these rules for a Prometheus that watches from outside."
    yield table(("rule", "severity", "after", "condition"), map(_rule, rules))


def _rule(rule: dict[str, Any]) -> tuple[str, str, str, str]:
    return (
        _link(rule["alert"]),
        rule["labels"]["severity"],
        rule.get("for", ""),
        code(" ".join(rule["expr"].split())),
    )


def _plain(text: str) -> str:
    """Return a text on one line, without its links, which lead on from the runbook."""
    return " ".join(LINK.sub(r"\1", text).split())


def _link(heading: str) -> str:
    """Return a link to a heading of the runbook."""
    return f"[{heading}](../operate/runbook.md#{anchor_of(heading)})"
