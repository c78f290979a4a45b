"""The alerts: how urgent they are, and the rules of Prometheus."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from rankalpha.alerts.channels import CONNECTIONS
from rankalpha.alerts.incident import Urgency
from scripts.reference.markdown import code, page, table

RULES = "docs/monitoring/rules.yml"


def pages(root: Path) -> dict[str, str]:
    """Return the page of the alerts."""
    rules = yaml.safe_load((root / RULES).read_text())
    return {"alerts.md": page("Alerts", _parts([one for group in rules["groups"] for one in group["rules"]]))}


def _parts(rules: list[dict[str, Any]]) -> Iterator[str]:
    yield "The subject of an alert begins with its urgency."
    yield (
        "The [runbook](../operate/runbook.md) has a heading for each alert. [Alerts](../operate/alerts.md)\n"
        "says when they are sent."
    )
    yield table(("subject", "meaning"), ((code(one), one.meaning) for one in Urgency))
    yield "## Channels"
    yield "Each channel is on as soon as its connection in Airflow exists."
    yield table(("channel", "connection"), ((name, code(one)) for name, one in CONNECTIONS.items()))
    yield "## Rules of Prometheus"
    yield "`docs/monitoring/rules.yml` holds these rules for a Prometheus that watches from outside."
    yield table(("rule", "severity", "after", "condition"), map(_rule, rules))


def _rule(rule: dict[str, Any]) -> tuple[str, str, str, str]:
    name = rule["alert"]
    link = f"[{name}](../operate/runbook.md#{name.lower()})"
    return link, rule["labels"]["severity"], rule.get("for", ""), code(" ".join(rule["expr"].split()))
