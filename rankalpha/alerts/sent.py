"""Remembers which alerts were sent, by which channels, and which channels did not take them yet.

They are in the state store of an asset of Airflow, so that task callbacks, deadlines and the watchdog know of
each other, and what could not be sent is sent later. Airflow shows them on the page of the asset.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from rankalpha.airflow_api import AirflowApi
from rankalpha.alerts.connections import CONNECTIONS
from rankalpha.alerts.incident import STORE, Incident, Urgency

LONGEST_KEY = 512  # characters, in a state store
VARIABLES = "rankalpha_incident_"  # how the names of the Variables begin in which earlier versions kept them
SENDING = timedelta(minutes=10)  # a sender that takes longer is dead; Airflow's SMTP hook waits up to 30 s
OLD_NAMES = {"told": "delivered", "mending": "recovering"}  # of fields, in a Variable


@dataclass(frozen=True)
class SentAlert:
    """An alert with the channels that have `delivered` it, and those by which it is still `unsent`.

    `sending`: its sender is at work. `recovering`: the symptom is gone but recovery is not confirmed; if it
    returns, alert again. A `notice` reports no trouble, and is forgotten once it is sent.
    """

    incident: Incident
    at: datetime
    delivered: tuple[str, ...] = ()
    unsent: tuple[str, ...] = ()
    sending: bool = False
    recovering: bool = False
    notice: bool = False

    def due(self, now: datetime) -> tuple[str, ...]:
        """Return the channels to send it by again: none while its sender may still be at work."""
        return () if self.sending and now - self.at < SENDING else self.unsent

    def after_sending(self, failed: tuple[str, ...]) -> Self:
        """Return it as it is once all unsent channels were used, of which some have `failed`."""
        delivered = (*self.delivered, *(name for name in self.unsent if name not in failed))
        return replace(self, delivered=delivered, unsent=failed, sending=False)

    def as_recovering(self) -> Self:
        """Return it with the mark that its symptom is gone, while its recovery is not confirmed."""
        return replace(self, recovering=True)

    def write(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        value: dict[str, Any] = json.loads(json.dumps(asdict(self) | {"at": self.at.isoformat()}))
        return value

    @classmethod
    def read(cls, stored: Any, key: str, subject: str = "") -> Self:
        """Return what `write` has written; anything else counts as an alert of that key that was sent."""
        try:
            known = {OLD_NAMES.get(name, name): value for name, value in stored.items()}
            fields = {name: known[name] for name in cls.__dataclass_fields__ if name in known}
            urgency = Urgency(fields["incident"]["urgency"])
            fields |= {
                "incident": Incident(**fields["incident"] | {"urgency": urgency}),
                "at": datetime.fromisoformat(fields["at"]).astimezone(UTC),
                "delivered": tuple(name for name in fields["delivered"] if name in CONNECTIONS),
                "unsent": tuple(name for name in fields["unsent"] if name in CONNECTIONS),
            }
            return cls(**fields)
        except (AttributeError, ValueError, KeyError, TypeError):
            return cls(Incident(key, subject or key, ""), datetime.now(UTC))


def recall(key: str) -> SentAlert | None:
    """Return the alert that was sent for an incident; for a task, trigger or callback."""
    stored = _store().get(key[:LONGEST_KEY])
    return SentAlert.read(stored, key) if stored else None


def remember(sent_alert: SentAlert) -> None:
    """Store an alert, instead of what was stored for its incident before."""
    _store().set(sent_alert.incident.key[:LONGEST_KEY], sent_alert.write())


def forget(sent_alert: SentAlert) -> None:
    """Delete an alert: if its incident comes again, it is a new one."""
    _store().delete(sent_alert.incident.key[:LONGEST_KEY])


def all_sent(api: AirflowApi) -> list[SentAlert]:
    """Return all alerts that are stored."""
    asset = _asset(api)
    entries = api.every(f"assets/{asset}/state-store", "asset_state_store") if asset else ()
    return [SentAlert.read(entry["value"], entry["key"]) for entry in entries]


def move_variables(api: AirflowApi) -> int:
    """Move the alerts that an earlier version has kept in Variables; return how many. Safe to repeat."""
    if not _asset(api):
        return 0  # the next round moves them
    variables = list(api.every("variables", "variables", variable_key_prefix_pattern=VARIABLES))
    for variable in variables:
        sent_alert = _in_variable(variable["value"], variable["description"])
        if recall(sent_alert.incident.key) is None:
            remember(sent_alert)
        api.delete(f"variables/{variable['key']}")
    return len(variables)


def _in_variable(value: str, subject: str) -> SentAlert:
    """Return the alert of a Variable, whose value was only the key of the incident once."""
    try:
        stored = json.loads(value)
    except ValueError:
        stored = None
    return SentAlert.read(stored, value, subject)


def _store() -> Any:
    from airflow.sdk.execution_time.context import (  # noqa: PLC0415  slow to load, and a command asks the API
        AssetStateStoreAccessor,
    )

    return AssetStateStoreAccessor(name=STORE)


def _asset(api: AirflowApi) -> int | None:
    """Return Airflow's id of the asset; None before the DAG of the watchdog was parsed."""
    listed = api.get("assets", name_pattern=STORE)["assets"]
    return next((asset["id"] for asset in listed if asset["name"] == STORE), None)
